-- What the dialogs share: two lines of status, a button that helps, a progress bar, an engine.

local engine = require "client"
local panel = {}
panel.__index = panel

-- Breaks a long sentence into two label lines.
local LINE = 58
local function two_lines(text)
  if #text <= LINE then return text, "" end
  local cut = text:sub(1, LINE + 1):match("^.*() ") or LINE + 1
  local rest = text:sub(cut):gsub("^ ", "")
  if #rest > LINE then rest = rest:sub(1, LINE - 3) .. "..." end
  return text:sub(1, cut - 1), rest
end
panel.two_lines = two_lines

-- options: folder, preferences, title, on_ready (connected), on_hello(hello), on_close
function panel.new(options)
  local self = setmetatable({}, panel)
  self.preferences = options.preferences
  self.on_ready, self.on_close = options.on_ready, options.on_close
  self.open = false
  self.dialog = Dialog {
    title = options.title,
    onclose = function()
      self.open = false
      self.client:close() -- and with it whatever job still runs
      if self.on_close then self.on_close() end
    end,
  }
  self.client = engine.new {
    folder = options.folder,
    on_state = function(state, reason, detail) self:engine_state(state, reason, detail) end,
    on_hello = options.on_hello,
  }
  return self
end

-- Adds the status lines and the helping button (disabled until there is something to help with;
-- before API 35 a dialog doesn't grow for what it shows later).
function panel:add_status(text)
  local first, second = two_lines(text or "")
  self.dialog:label { id = "status", text = first }
  self.dialog:newrow()
  self.dialog:label { id = "status2", text = second }
  self.dialog:newrow()
  self.dialog:button { id = "help", text = "Help", enabled = false, onclick = function() self:help() end }
end

function panel:say(text)
  self.text = text
  if not self.dialog then return end
  local first, second = two_lines(text)
  self.dialog:modify { id = "status", text = first }
  self.dialog:modify { id = "status2", text = second }
end

-- A button for what just went wrong, or nil for none.
function panel:offer(label, action)
  self.action = action
  if label then
    self.dialog:modify { id = "help", text = label, enabled = true }
  else
    self.dialog:modify { id = "help", text = "Help", enabled = false }
  end
end

function panel:help()
  local action = self.action
  self:offer(nil)
  if action then action() end
end

function panel:engine_state(state, reason, detail)
  if state == "failed" then
    local known = engine.REASONS[reason]
    self:say(detail and reason ~= "denied" and detail or known.text)
    self:offer(known.button, function() self:act(known.action, reason) end)
  elseif state == "starting" then
    self:say("Starting the engine...")
    self:offer(nil)
  elseif state == "connecting" then
    self:say("Connecting to the engine...")
    self:offer(nil)
  elseif state == "ready" then
    self:say("The engine is ready.")
    self:offer(nil)
    if self.on_ready then self.on_ready() end
  end
  if self.on_engine_state then self.on_engine_state(state, reason) end
end

function panel:act(action, reason)
  if action == "start" then
    self.client:start(self.preferences.start_command)
  elseif action == "connect" then
    self.client:connect()
  elseif action == "explain" then
    app.alert { title = "Spriteface", text = engine.EXPLANATIONS[reason] }
    self:offer(engine.REASONS[reason].button, function() self:act(action, reason) end)
  end
end

-- Keeps a dialog wide enough for the sentences it will show.
function panel:add_strut()
  self.dialog:canvas { width = 300, height = 1, hexpand = false, vexpand = false }
end

-- Shows a failed job: the engine's own words.
function panel:complain(problem)
  local text = problem.message ~= "" and problem.message or "The engine could not do it."
  if problem.hint and problem.hint ~= "" then text = text .. ": " .. problem.hint end
  self:say(text)
end

-- Whether a problem is one of the connection, which engine_state has already told.
function panel.is_connection(problem)
  return engine.REASONS[problem.code] ~= nil
end

function panel:enable(id, enabled)
  self.dialog:modify { id = id, enabled = enabled }
end

function panel:show()
  self.open = true
  self.dialog:show { wait = false }
end

function panel:close()
  if self.open then self.dialog:close() end
end

return panel
