-- One connection to the engine: connect, greet, submit jobs, hear of them, cancel. It never waits:
-- everything arrives through callbacks from Aseprite's UI loop.
--
-- A connection is idle -> connecting -> ready -> closed, or failed with a reason that a person can
-- act on (see REASONS). Events of a connection that is no longer ours may still arrive; each
-- connection has its number, and old numbers are not heard.
--
-- (Not called engine.lua: `spriteface install-plugins` writes its launch file under that name.)

local wire = require "wire"
local privileged = require "privileged"
local engine = {}
engine.__index = engine

local CONNECT_SECONDS = 5

-- One sentence each, and what the button beside it does.
engine.REASONS = {
  not_running = { text = "The spriteface engine is not running.", button = "Start engine", action = "start" },
  denied = { text = "Aseprite was not allowed to connect to the engine.", button = "Ask again", action = "connect" },
  absent = { text = "This Aseprite was built without WebSocket.", button = "What now?", action = "explain" },
  version = { text = "The engine and this extension do not fit together.", button = "What now?", action = "explain" },
  lost = { text = "The engine went away.", button = "Connect again", action = "connect" },
}
engine.EXPLANATIONS = {
  absent = {
    "Some builds of Aseprite leave WebSocket out, which live portraits need.",
    "The command line does the same without it:",
    "aseprite -b FILE --script-param out=FOLDER --script .../spriteface/headless.lua",
  },
  version = { "Update spriteface, then install both anew with:", "spriteface install-plugins" },
}

-- options: folder (the extension's), on_state(state, reason, detail), on_hello(hello)
function engine.new(options)
  local self = setmetatable({}, engine)
  self.folder = options.folder
  self.on_state = options.on_state or function() end
  self.on_hello = options.on_hello or function() end
  self.state, self.generation, self.last_ref = "idle", 0, 0
  self.by_ref, self.by_id = {}, {}
  return self
end

local function set_state(self, state, reason, detail)
  self.state, self.reason = state, reason
  self.on_state(state, reason, detail)
end

local function stop_timer(self)
  if self.timer then self.timer:stop() end
  self.timer = nil
end

local function drop_socket(self)
  self.generation = self.generation + 1
  stop_timer(self)
  local socket = self.socket
  self.socket = nil
  if socket then socket:close() end -- or it would try to reconnect for ever
end

-- Ends every job with an error of our own.
local function fail_jobs(self, code, message)
  local jobs = self.by_ref
  self.by_ref, self.by_id = {}, {}
  local refs = {}
  for ref in pairs(jobs) do refs[#refs + 1] = ref end
  table.sort(refs)
  for _, ref in ipairs(refs) do
    local job = jobs[ref]
    job.state = "finished"
    if job.on_error then job.on_error { code = code, message = message, hint = "" } end
  end
end

local function fail(self, reason, detail)
  drop_socket(self)
  if self.start_timer and reason == "not_running" then -- an old connection file; the new engine is on its way
    return set_state(self, "starting")
  end
  self:stop_starting()
  set_state(self, "failed", reason, detail)
  fail_jobs(self, reason, engine.REASONS[reason].text)
end

-- messages ------------------------------------------------------------------------------------------

local handlers = {}

function handlers.hello(self, header)
  local ours = false
  for _, protocol in ipairs(header.protocols or { header.protocol }) do ours = ours or protocol == wire.PROTOCOL end
  if not ours then
    local theirs = tonumber(header.protocol) or 0
    local older = theirs < wire.PROTOCOL and "the engine" or "this extension"
    fail(self, "version", ("Engine %s speaks protocol %d, this extension %d: %s is the older one."):format(
      tostring(header.version), theirs, wire.PROTOCOL, older))
    return
  end
  stop_timer(self)
  self:stop_starting()
  self.hello = header
  set_state(self, "ready")
  self.on_hello(header)
  local waiting = self.waiting or {}
  self.waiting = nil
  for _, send in ipairs(waiting) do send() end
end

function handlers.accepted(self, header)
  local job = self.by_ref[header.ref]
  if not job then return end
  job.id, job.state = header.id, "accepted"
  self.by_id[job.id] = job
  if job.cancelled then self:cancel(job) end
  if job.on_accepted then job.on_accepted(header) end
end

local function finish(self, job)
  job.state = "finished"
  self.by_ref[job.ref] = nil
  if job.id then self.by_id[job.id] = nil end
end

function handlers.progress(self, header, images)
  local job = self.by_id[header.id]
  if job and job.on_progress and not job.cancelled then job.on_progress(header, images.preview) end
end

function handlers.result(self, header, images)
  local job = self.by_id[header.id]
  if job and job.on_result and not job.cancelled then job.on_result(header, images) end
end

function handlers.done(self, header)
  local job = self.by_id[header.id]
  if not job then return end
  finish(self, job)
  if job.on_done then job.on_done(header) end
end

function handlers.error(self, header)
  local job = header.id and self.by_id[header.id] or header.ref and self.by_ref[header.ref]
  if not job then return end
  finish(self, job)
  if job.on_error then
    job.on_error { code = header.code, message = header.message or "", hint = header.hint or "", log = header.log }
  end
end

function handlers.status(self, header)
  if self.on_status then self.on_status(header) end
end

function handlers.bye(self)
  fail(self, "lost")
end

local function receive(self, data)
  local ok, header, images = pcall(wire.decode, data)
  if not ok then
    fail(self, "lost", "The engine sent something unreadable: " .. tostring(header))
    return
  end
  local handler = handlers[header.type]
  if handler then handler(self, header, images) end -- types of later engines are not ours to mind
end

-- connecting ----------------------------------------------------------------------------------------

local function is_loopback(host)
  return host == "127.0.0.1" or host == "localhost" or host == "::1"
end

-- Where to connect, or nil. Read anew each time: port and token change with every start.
local function address(self)
  local found = privileged.connection(self.folder, self.start_timer ~= nil)
  if not found or not found.port or not found.token then return nil end
  local host = found.host or "127.0.0.1"
  if not is_loopback(host) then return nil end
  self.connection = { port = math.floor(found.port), version = found.version, log = found.log }
  return ("ws://%s:%d/v1/socket?token=%s"):format(host, math.floor(found.port), found.token)
end

function engine:connect()
  if self.state == "connecting" or self.state == "ready" then return end
  local url = address(self)
  if not url then return fail(self, "not_running") end
  local mine = self.generation
  local was_ready = false
  local function on_receive(kind, data)
    if mine ~= self.generation then return end
    if kind == WebSocketMessageType.BINARY then
      was_ready = true
      receive(self, data)
    elseif kind == WebSocketMessageType.CLOSE or kind == WebSocketMessageType.ERROR then
      fail(self, was_ready and "lost" or "not_running")
    end
  end
  set_state(self, "connecting")
  local socket, why, detail = privileged.open_socket(url, on_receive)
  if not socket then return fail(self, why, detail) end
  if mine ~= self.generation then return socket:close() end
  self.socket = socket
  self.timer = Timer { interval = CONNECT_SECONDS, ontick = function()
    if mine == self.generation and self.state == "connecting" then fail(self, "not_running") end
  end }
  self.timer:start()
end

-- Closes the connection, which cancels its jobs. They end silently.
function engine:close()
  self.by_ref, self.by_id, self.waiting = {}, {}, nil
  self:stop_starting()
  drop_socket(self)
  self.state = "closed"
end

local function send(self, header, images)
  local frame = wire.encode(header, images)
  local ok = pcall(function() self.socket:sendBinary(frame) end)
  if not ok then fail(self, "lost") end
end

-- jobs ----------------------------------------------------------------------------------------------

-- Submits a job as soon as the engine is there. `callbacks`: on_accepted, on_progress(header,
-- preview), on_result(header, images), on_done(header), on_error{code, message, hint}. Exactly one
-- of on_done and on_error ends it.
function engine:submit(header, images, callbacks)
  self.last_ref = self.last_ref + 1
  local job = { ref = self.last_ref, state = "waiting" }
  for name, callback in pairs(callbacks) do job[name] = callback end
  self.by_ref[job.ref] = job
  local message = { type = "submit", protocol = wire.PROTOCOL, ref = job.ref }
  for key, value in pairs(header) do message[key] = value end
  local function go()
    if job.state ~= "waiting" then return end
    job.state = "sent"
    send(self, message, images)
  end
  if self.state == "ready" then
    go()
  else
    self.waiting = self.waiting or {}
    table.insert(self.waiting, go)
    self:connect()
  end
  return job
end

function engine:cancel(job)
  if job.state == "finished" then return end
  job.cancelled = true
  if job.state == "waiting" then
    finish(self, job)
    if job.on_error then job.on_error { code = "cancelled", message = "Cancelled.", hint = "" } end
  elseif job.id and self.state == "ready" then
    send(self, { type = "cancel", id = job.id })
  end
end

function engine:ask_status()
  if self.state == "ready" then send(self, { type = "status" }) end
end

function engine:shutdown()
  if self.state == "ready" then send(self, { type = "shutdown" }) end
end

-- starting ------------------------------------------------------------------------------------------

local START_SECONDS, LOOK_SECONDS = 60, 0.5

-- The words that start an engine: those of install-plugins, else the preference, else the plain command.
function engine.start_command(folder, own)
  local launch = privileged.launch_file(folder)
  if own and own ~= "" then
    local words = {}
    for word in own:gmatch("%S+") do words[#words + 1] = word end
    return words
  end
  if launch and launch.command then return launch.command end
  return { "spriteface", "serve", "--background" }
end

-- Starts the engine (the only use of a shell) and connects once it answers.
function engine:start(own_command)
  drop_socket(self)
  self:stop_starting()
  local ok, why = privileged.start(engine.start_command(self.folder, own_command))
  if not ok then
    return fail(self, "not_running", why == "denied" and "Aseprite was not allowed to run a program." or
      "The engine could not be started: try `spriteface serve` in a terminal.")
  end
  local waited = 0
  self.start_timer = Timer { interval = LOOK_SECONDS, ontick = function()
    waited = waited + LOOK_SECONDS
    if waited >= START_SECONDS then
      self:stop_starting()
      fail(self, "not_running", ("The engine did not answer within %d seconds: see its log."):format(START_SECONDS))
    elseif self.state == "starting" and privileged.connection(self.folder, waited > LOOK_SECONDS * 6) then
      self:connect()
    end
  end }
  self.start_timer:start()
  set_state(self, "starting")
end

function engine:stop_starting()
  if self.start_timer then self.start_timer:stop() end
  self.start_timer = nil
end

return engine
