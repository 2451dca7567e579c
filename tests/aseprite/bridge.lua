-- Lets the stand-in's WebSocket be a real one: what the extension sends goes out over stdout, what
-- the network says comes in over stdin, and a Python program (tests/test_aseprite_engine.py) holds
-- the socket. Lines starting with "@" are ours; bytes follow where a line gives their number.

local ui = require "ui"
local bridge = { sockets = {} }

io.stdout:setvbuf("full")

local function say(text, bytes)
  io.stdout:write("@", text, "\n", bytes or "")
  io.stdout:flush()
end

function bridge.connect()
  ui.websocket_answer = function(socket)
    bridge.sockets[#bridge.sockets + 1] = socket
    local number = #bridge.sockets
    socket.onsend = function(_, kind, data) say(("SEND %d %s %d"):format(number, kind, #data), data) end
    socket.onclosed = function() say("CLOSE " .. number) end
    say(("CONNECT %d %s"):format(number, socket.url))
  end
end

-- One event of the network; "TICK" comes every 50 ms.
local function hear()
  local line = io.stdin:read("l")
  if not line then error("the bridge is gone") end
  local event, number, rest = line:match("^(%u+) ?(%d*) ?(.*)$")
  local socket = bridge.sockets[tonumber(number)]
  if event == "OPEN" then ui.opened(socket)
  elseif event == "REFUSED" then ui.refused(socket, rest)
  elseif event == "BROKEN" then ui.broken(socket)
  elseif event == "DATA" then ui.received(socket, io.stdin:read(tonumber(rest)) or "")
  elseif event == "TICK" then ui.advance(0.05)
  else error("unknown event " .. line) end
  ui.pump()
end

-- Lets time and network go on until `condition` holds.
function bridge.wait(condition, what, seconds)
  local deadline = os.time() + (seconds or 60)
  while not condition() do
    if os.time() > deadline then
      local shown = #ui.dialogs > 0 and require("kit").status() or "no dialog"
      error(("waited in vain for %s; status: %s"):format(what or "something", shown), 2)
    end
    hear()
  end
end

return bridge
