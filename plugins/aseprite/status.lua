-- "Engine...": whether it runs, its version, port and log; start and stop.

local engine = require "client"
local privileged = require "privileged"
local panel = require "panel"
local status = {}

local LOG_LINES = 12

local function last_lines(text, count)
  local lines = {}
  for line in text:gmatch("[^\r\n]+") do lines[#lines + 1] = #line > 100 and line:sub(1, 97) .. "..." or line end
  return { table.unpack(lines, math.max(1, #lines - count + 1)) }
end

function status.open(context)
  local self = {}
  local box = panel.new { folder = context.folder, preferences = context.preferences, title = "Spriteface: engine" }
  self.panel = box
  local dialog = box.dialog

  local function log_path()
    local launch = privileged.launch_file(context.folder)
    return box.client.connection and box.client.connection.log or launch and launch.log
  end

  local function show_facts(state)
    local ready = state == "ready"
    local hello, connection = box.client.hello, box.client.connection
    dialog:modify { id = "version", text = ready and tostring(hello.version) or "-" }
    dialog:modify { id = "port", text = ready and tostring(connection.port) or "-" }
    dialog:modify { id = "log", text = log_path() or "-" }
    box:enable("stop", ready)
    box:enable("start", state == "failed" or state == "closed" or state == "idle")
    box:enable("show_log", log_path() ~= nil)
  end
  box.on_engine_state = show_facts

  function self.start()
    context.preferences.start_command = dialog.data.command
    box.client:start(dialog.data.command)
  end

  function self.show_log()
    local path = log_path()
    local text, problem = privileged.read(path)
    local lines = text and last_lines(text, LOG_LINES) or { "The log cannot be read: " .. tostring(problem) }
    if #lines == 0 then lines = { "The log is empty." } end
    app.alert { title = path, text = lines }
  end

  box:add_strut()
  box:add_status("")
  dialog:label { id = "version", label = "Version", text = "-" }
  dialog:label { id = "port", label = "Port", text = "-" }
  dialog:label { id = "log", label = "Log", text = "-" }
  dialog:entry { id = "command", label = "Own start command", text = context.preferences.start_command or "" }
  dialog:button { id = "start", text = "&Start", onclick = function() self.start() end }
  dialog:button { id = "stop", text = "S&top", enabled = false, onclick = function() box.client:shutdown() end }
  dialog:button { id = "check", text = "&Check", onclick = function() box.client:connect() end }
  dialog:newrow()
  dialog:button { id = "show_log", text = "Show &log", onclick = function() self.show_log() end }
  dialog:button { id = "close", text = "Close" }
  box:show()
  show_facts("idle")
  box.client:connect()
  return self
end

-- The words that would start the engine, for the docs and tests.
status.start_command = engine.start_command

return status
