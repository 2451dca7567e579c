-- What needs a person or a network: questions for permission, dialogs, alerts, timers, WebSockets.
-- In batch mode (ui.available false) dialogs are nil, timers never tick, and a WebSocket's
-- onreceive never fires.

local core = require "core"
local values = require "values"
local new, check, violation = core.new, core.check, core.violation
local ui = {
  available = true,
  dialogs = {}, -- visible ones, in the order they were shown
  alerts = {}, -- every app.alert, as its text
  alert_answers = {}, -- what to press next; 1 when empty
  modal = nil, -- function(dialog): plays the person in front of a modal dialog
  questions = {}, -- { file, mode, subject } of every permission question
  answer = "trust", -- allow (this access from this file), trust (all from this file), deny
  granted = {},
  timers = {},
  sockets = setmetatable({}, { __mode = "k" }),
  queue = {}, -- events waiting for the UI loop
  websocket_answer = nil, -- function(socket): plays the network when connect() is called
}

-- permissions -------------------------------------------------------------------------------------

local HERE = debug.getinfo(1, "S").source:match("^@(.*)ui%.lua$")

-- The file of the script's function that called into the API. A tail call leaves no frame behind,
-- and pcall(io.open, ...) has "[C]" as its caller: both ask in somebody else's name.
local function caller()
  for level = 2, 40 do
    local info = debug.getinfo(level, "S")
    if not info then return nil end
    if info.source:sub(2, 1 + #HERE) ~= HERE then return (info.source:gsub("^@", "")) end
  end
end

function ui.ask(subject, mode)
  if not ui.available then return end
  local file = caller()
  if not file or file:sub(1, 1) == "=" then
    violation("privileged call from " .. tostring(file) .. ": Aseprite cannot tell whom to ask for", 2)
  end
  local granted = ui.granted[file] or {}
  if granted.full or granted[mode] then return end
  ui.questions[#ui.questions + 1] = { file = file, mode = mode, subject = subject }
  if ui.answer == "deny" then
    if mode == "socket" then
      error(("the script doesn't have access to create a WebSocket for '%s'"):format(subject), 3)
    end
    error(("the script doesn't have access to file '%s'"):format(subject), 3)
  end
  ui.granted[file] = granted
  granted[ui.answer == "trust" and "full" or mode] = true
end

-- dialogs -----------------------------------------------------------------------------------------

local COMMON = { id = 1, label = 1, focus = 10, enabled = 1, visible = 1, hexpand = 1, vexpand = 1 }
local OWN = {
  label = { text = 1 },
  button = { text = 1, selected = 1, onclick = 1 },
  check = { text = 1, selected = 1, onclick = 1 },
  radio = { text = 1, selected = 1, onclick = 1 },
  entry = { text = 1, onchange = 1 },
  number = { text = 1, decimals = 1, onchange = 1 },
  slider = { min = 1, max = 1, value = 1, onchange = 11, onrelease = 11 },
  combobox = { option = 1, options = 1, onchange = 1 },
  separator = { text = 1 },
  canvas = {
    width = 21, height = 21, autoscaling = 21, onpaint = 21, onkeydown = 21, onkeyup = 21, onmousemove = 21,
    onmousedown = 21, onmouseup = 21, onwheel = 21, ondblclick = 22,
  },
}
local MODIFY = {
  id = 10, visible = 10, enabled = 10, text = 10, selected = 11, label = 11, focus = 11, decimals = 11, min = 11, max = 11,
  value = 11, options = 16, option = 11, title = 10,
}

local function guarded(state, handler, event)
  if not handler or not state.visible then return end
  local ok, problem = pcall(handler, event)
  if not ok then core.print(problem) end
end

local function close(state, closer)
  if not state.visible then return end
  guarded(state, state.onclose, {})
  state.visible = false
  state.closer = closer
  for i, other in ipairs(ui.dialogs) do if core.state(other) == state then table.remove(ui.dialogs, i) break end end
end

local function adder(kind)
  return { kind == "canvas" and 21 or 1, function(self, options)
    local state = check(self, "Dialog")
    options = options or {}
    local known = setmetatable({}, { __index = COMMON })
    for key, since in pairs(OWN[kind]) do known[key] = since end
    core.options(options, known, "Dialog:" .. kind)
    if kind == "combobox" and options.option then
      local found = false
      for _, item in ipairs(options.options or {}) do found = found or item == options.option end
      if not found then violation("Dialog:combobox: option " .. options.option .. " is none of its options", 2) end
    end
    local widget = {}
    for key, value in pairs(options) do widget[key] = value end
    widget.kind = kind
    if widget.enabled == nil then widget.enabled = true end
    if widget.visible == nil then widget.visible = true end
    if kind == "combobox" and not widget.option then widget.option = (widget.options or {})[1] end
    if options.id then
      if state.by_id[options.id] then violation("Dialog: two widgets named " .. options.id, 2) end
      state.by_id[options.id] = widget
    end
    state.widgets[#state.widgets + 1] = widget
    return self
  end }
end

local function value_of(state, widget)
  local kind = widget.kind
  if kind == "button" then return state.closer == widget or state.last == widget
  elseif kind == "check" or kind == "radio" then return widget.selected == true
  elseif kind == "entry" or kind == "label" then return widget.text or ""
  elseif kind == "slider" then return widget.value or 100
  elseif kind == "combobox" then return widget.option
  elseif kind == "number" then
    local number = tonumber(widget.text) or 0
    return (widget.decimals or 0) == 0 and math.floor(number) or number
  end
end

local function paint(state)
  for _, widget in ipairs(state.widgets) do
    if widget.kind == "canvas" and widget.onpaint then
      local context = ui.context(widget.width, widget.height)
      widget.painted = core.state(context).calls
      guarded(state, widget.onpaint, { context = context })
    end
  end
end

core.class("Dialog", {
  get = {
    data = { 1, function(state)
      local data = {}
      for id, widget in pairs(state.by_id) do data[id] = value_of(state, widget) end
      return data
    end },
    bounds = { 1, function() return values.Rectangle(0, 0, 200, 200) end },
  },
  call = {
    label = adder "label", button = adder "button", check = adder "check", radio = adder "radio", entry = adder "entry",
    number = adder "number", slider = adder "slider", combobox = adder "combobox", separator = adder "separator",
    canvas = adder "canvas",
    newrow = { 1, function(self, options)
      if options then core.options(options, { always = 10 }, "Dialog:newrow") end
      return self
    end },
    show = { 1, function(self, options)
      local state = check(self, "Dialog")
      options = options or {}
      core.options(options, { wait = 1, bounds = 1, autoscrollbars = 26, hand = 30 }, "Dialog:show")
      if not state.visible then
        state.visible = true
        ui.dialogs[#ui.dialogs + 1] = self
      end
      paint(state)
      if options.wait ~= false then
        if not ui.modal then violation("a modal dialog that nobody answers: it would freeze the editor", 2) end
        ui.modal(self)
        if state.visible then violation("the modal dialog was left open", 2) end
      end
      return self
    end },
    close = { 1, function(self)
      close(check(self, "Dialog"))
      return self
    end },
    modify = { 10, function(self, options)
      local state = check(self, "Dialog")
      core.options(options, MODIFY, "Dialog:modify")
      if options.title then state.title = options.title end
      if options.id == nil then return self end
      local widget = state.by_id[options.id]
      if not widget then error(("Given id=\"%s\" in Dialog:modify{} not found in dialog"):format(options.id), 2) end
      for key, value in pairs(options) do if key ~= "id" then widget[key] = value end end
      return self
    end },
    repaint = { 21, function(self)
      local state = check(self, "Dialog")
      if state.visible then paint(state) end
    end },
  },
  eq = function(a, b) return a == b end,
})

function ui.Dialog(options)
  if not ui.available then return nil end
  if type(options) == "string" then options = { title = options } end
  options = options or {}
  core.options(options, { title = 1, onclose = 9, parent = 21, notitlebar = 21, resizeable = 35, autofit = 35 }, "Dialog")
  return new("Dialog", { title = options.title or "Script", onclose = options.onclose, widgets = {}, by_id = {}, visible = false })
end

-- The person's side of a dialog.
function ui.click(dialog, id)
  local state = core.state(dialog)
  local widget = state.by_id[id] or error("no widget " .. id)
  if not state.visible then error("the dialog is closed") end
  if not widget.visible or not widget.enabled then error("widget " .. id .. " is hidden or disabled") end
  if widget.kind == "check" then widget.selected = not widget.selected end
  state.last = widget
  if widget.onclick then guarded(state, widget.onclick, {}) elseif widget.kind == "button" then close(state, widget) end
end

function ui.set(dialog, id, value)
  local state = core.state(dialog)
  local widget = state.by_id[id] or error("no widget " .. id)
  if widget.kind == "combobox" then
    local found = false
    for _, item in ipairs(widget.options) do found = found or item == value end
    if not found then error(value .. " is not in the list of " .. id) end
    widget.option = value
  elseif widget.kind == "slider" then widget.value = value
  elseif widget.kind == "check" or widget.kind == "radio" then widget.selected = value
  else widget.text = tostring(value) end
  guarded(state, widget.onchange or widget.onclick, {})
end

function ui.close(dialog) close(core.state(dialog)) end
function ui.widget(dialog, id) return core.state(dialog).by_id[id] end
function ui.title(dialog) return core.state(dialog).title end
function ui.is_open(dialog) return core.state(dialog).visible end
function ui.layout(dialog) return core.state(dialog).widgets end

-- a canvas's context: records what was drawn
local function record(name, since)
  return { since, function(self, ...)
    local state = check(self, "GraphicsContext")
    state.calls[#state.calls + 1] = { name, color = state.color, ... }
  end }
end
core.class("GraphicsContext", {
  get = {
    width = { 21, function(s) return s.width end }, height = { 21, function(s) return s.height end },
    color = { 21, function(s) return s.color end }, opacity = { 22, function(s) return s.opacity or 255 end },
  },
  set = {
    color = { 21, function(s, v) check(v, "Color", "context.color") s.color = v end },
    antialias = { 21, function(s, v) s.antialias = v end }, strokeWidth = { 21, function(s, v) s.stroke = v end },
    opacity = { 22, function(s, v) s.opacity = v end },
  },
  call = {
    fillRect = { 21, function(self, r)
      local state = check(self, "GraphicsContext")
      state.calls[#state.calls + 1] = { "fillRect", core.state(r), color = state.color }
    end },
    strokeRect = record("strokeRect", 21),
    fillText = { 21, function(self, text, x, y)
      local state = check(self, "GraphicsContext")
      state.calls[#state.calls + 1] = { "fillText", text, core.integer(x), core.integer(y), color = state.color }
    end },
    measureText = { 21, function(_, text) return values.Size(#text * 6, 8) end },
    drawImage = { 21, function(self, image, source, target, ...)
      local state = check(self, "GraphicsContext")
      check(image, "Image", "drawImage")
      if select("#", ...) > 0 then violation("drawImage with nine numbers is off by one in the wild", 2) end
      local call = { "drawImage", image }
      if core.kind(source) == "Rectangle" then
        check(target, "Rectangle", "drawImage")
        call[3], call[4] = core.state(source), core.state(target)
      else
        call[3], call[4] = core.integer(source), core.integer(target)
      end
      state.calls[#state.calls + 1] = call
    end },
  },
})
function ui.context(width, height) return new("GraphicsContext", { width = width, height = height, calls = {} }) end

function ui.alert(options)
  if not ui.available then return nil end
  local text = options
  if type(options) == "table" then
    core.options(options, { title = 1, text = 1, buttons = 1 }, "app.alert")
    text = type(options.text) == "table" and table.concat(options.text, "\n") or options.text
  end
  ui.alerts[#ui.alerts + 1] = tostring(text)
  return table.remove(ui.alert_answers, 1) or 1
end

-- timers ------------------------------------------------------------------------------------------

core.class("Timer", {
  get = { interval = { 21, function(s) return s.interval end }, isRunning = { 21, function(s) return s.running == true end } },
  set = { interval = { 21, function(s, v) s.interval = v end } },
  call = {
    start = { 21, function(self)
      local state = check(self, "Timer")
      state.running, state.waited = true, 0
      ui.timers[state] = true -- a running timer is kept alive
    end },
    stop = { 21, function(self)
      local state = check(self, "Timer")
      state.running = false
      ui.timers[state] = nil
    end },
  },
})
function ui.Timer(options)
  core.options(options, { interval = 21, ontick = 21 }, "Timer")
  return new("Timer", { interval = options.interval or 1, ontick = options.ontick })
end

function ui.advance(seconds)
  if not ui.available then return end
  local step = 0.05
  for _ = 1, math.ceil(seconds / step) do
    local due = {}
    for timer in pairs(ui.timers) do
      timer.waited = timer.waited + step
      if timer.waited >= timer.interval - 1e-9 then due[#due + 1] = timer end
    end
    for _, timer in ipairs(due) do
      timer.waited = 0
      if timer.running then
        local ok, problem = pcall(timer.ontick)
        if not ok then core.print(problem) end
      end
    end
    ui.pump()
  end
end

-- WebSockets --------------------------------------------------------------------------------------

local OPEN, CLOSE, ERROR = 1, 2, 3

local function sender(kind)
  return { 15, function(self, ...)
    local socket = check(self, "WebSocket")
    if socket.status ~= "open" then
      error("WebSocket is not connected, can't send " .. (kind == "text" and "text" or "data"), 2)
    end
    local data = table.concat({ ... })
    if socket.onsend then socket.onsend(socket, kind, data) end
  end }
end

core.class("WebSocket", {
  get = { url = { 15, function(s) return s.url end } },
  call = {
    connect = { 15, function(self)
      local socket = check(self, "WebSocket")
      if socket.status == "open" or socket.status == "connecting" then return end
      socket.status = "connecting"
      if ui.websocket_answer then ui.websocket_answer(socket) end
    end },
    close = { 15, function(self)
      local socket = check(self, "WebSocket")
      local was = socket.status
      socket.status = "closed"
      if socket.onclosed then socket.onclosed(socket) end
      if was == "open" then ui.queue[#ui.queue + 1] = { socket, CLOSE, "", "" } end
    end },
    sendText = sender "text", sendBinary = sender "binary", sendPing = sender "ping",
  },
  -- A socket that nobody holds any more is closed by the garbage collector.
  __gc = function(self)
    local socket = core.state(self)
    if socket then
      socket.lost = socket.status == "open"
      socket.status = "closed"
      if socket.onclosed then socket.onclosed(socket) end
    end
  end,
})

function ui.WebSocket(options)
  core.options(options, { url = 15, onreceive = 15, deflate = 15, minreconnectwait = 15, maxreconnectwait = 15 }, "WebSocket")
  if type(options.url) ~= "string" then violation("WebSocket without url", 2) end
  ui.ask(options.url, "socket")
  local socket = {
    url = options.url, onreceive = options.onreceive, deflate = options.deflate, status = "new",
    maxwait = options.maxreconnectwait, attempts = 0,
  }
  local object = new("WebSocket", socket)
  ui.sockets[object] = true
  return object
end

-- The network's side: the connection stands; it cannot be made (and will be tried again); it breaks.
function ui.opened(socket)
  if socket.status ~= "connecting" then return end
  socket.status = "open"
  ui.queue[#ui.queue + 1] = { socket, OPEN, "", "" }
end

function ui.refused(socket, reason)
  if socket.status ~= "connecting" then return end
  socket.attempts = socket.attempts + 1
  ui.queue[#ui.queue + 1] = { socket, ERROR, "", reason or "Unable to connect to 127.0.0.1 on port 27630, error: Connection refused" }
end

function ui.broken(socket)
  if socket.status ~= "open" then return end
  socket.status = "connecting" -- it reconnects by itself
  ui.queue[#ui.queue + 1] = { socket, CLOSE, "", "" }
end

function ui.received(socket, data)
  if socket.status ~= "open" then return end
  ui.queue[#ui.queue + 1] = { socket, 16, data, "" }
end

-- The UI loop: delivers what waits. Events of a socket already closed still arrive.
function ui.pump()
  for _ = 1, 10000 do
    local event = table.remove(ui.queue, 1)
    if not event then return end
    local socket, kind, data, problem = table.unpack(event)
    if ui.available and socket.onreceive then
      local ok, message
      if core.version >= 37 then
        ok, message = pcall(socket.onreceive, kind, data, problem)
      else
        ok, message = pcall(socket.onreceive, kind, data)
      end
      if not ok then
        core.print(message)
        socket.status = "closed"
      end
    end
  end
  error("events without end")
end

function ui.reset()
  for key in pairs(ui.timers) do ui.timers[key] = nil end
end

return ui
