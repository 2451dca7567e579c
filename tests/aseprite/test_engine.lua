-- The connection: every way it can fail, what is said then, and what never hangs or leaks.

local function open()
  kit.sprite()
  kit.run "SpritefacePortrait"
end

function tests.not_running_offers_to_start()
  kit.load { connection = false }
  open()
  kit.press "make"
  kit.equal(kit.status(), "The spriteface engine is not running.")
  kit.equal(kit.text "help", "Start engine")
  kit.equal(ui.widget(kit.dialog(), "make").enabled, true)
  kit.equal(ui.widget(kit.dialog(), "cancel").enabled, false)
  kit.equal(#host.shell, 0, "shell calls before Start is pressed")
  kit.equal(#ui.questions, 0)
end

function tests.start_runs_the_launch_file_and_connects()
  local ran
  host.execute = function(line)
    ran = line
    return true
  end
  kit.load { connection = false }
  local engine = kit.good_engine()
  open()
  kit.press "make"
  kit.press "help"
  kit.equal(kit.status(), "Starting the engine...")
  kit.equal(ran, "env -u PYTHONPATH -u PYTHONHOME -u LD_LIBRARY_PATH -u GI_TYPELIB_PATH "
    .. "'/opt/my env/bin/python' -m spriteface serve --background >/dev/null 2>&1 &")
  ui.advance(2)
  kit.equal(engine.socket, nil)
  local file = assert(io.open(kit.home .. "/connection.lua", "w"))
  file:write(kit.CONNECTION)
  file:close()
  ui.advance(1)
  kit.equal(kit.status(), "The engine is ready.")
  kit.press "make"
  kit.contains(kit.status(), "Ready")
  local modes = {}
  for _, question in ipairs(ui.questions) do modes[#modes + 1] = question.mode end
  kit.equal(table.concat(modes, " "), "execute")
end

function tests.start_that_never_answers()
  host.execute = function() return true end
  kit.load { connection = false }
  kit.good_engine()
  open()
  kit.press "make"
  kit.press "help"
  ui.advance(61)
  kit.contains(kit.status(), "did not answer within 60 seconds")
  kit.equal(kit.text "help", "Start engine")
end

function tests.start_with_an_old_connection_file()
  -- the file of a crashed engine: refused connections until the new one has written its own
  host.execute = function() return true end
  kit.load()
  kit.engine(nil, { refuse = true })
  open()
  kit.press "make"
  kit.equal(kit.status(), "The spriteface engine is not running.")
  kit.press "help"
  ui.advance(3)
  kit.equal(kit.status(), "Starting the engine...")
  kit.good_engine()
  ui.advance(2)
  kit.equal(kit.status(), "The engine is ready.")
end

function tests.refused_connection_is_not_tried_for_ever()
  kit.load()
  local engine = kit.engine(nil, { refuse = true })
  open()
  kit.press "make"
  kit.equal(kit.status(), "The spriteface engine is not running.")
  kit.equal(engine.socket.status, "closed")
end

function tests.silence_times_out()
  kit.load()
  local engine = kit.engine(nil, { silent = true })
  open()
  kit.press "make"
  kit.equal(kit.status(), "Connecting to the engine...")
  ui.advance(6)
  kit.equal(kit.status(), "The spriteface engine is not running.")
  kit.equal(engine.socket.status, "closed")
  kit.equal(ui.widget(kit.dialog(), "make").enabled, true)
end

function tests.denied_permission_asks_again()
  kit.load()
  ui.answer = "deny"
  kit.good_engine()
  open()
  kit.press "make"
  kit.equal(kit.status(), "Aseprite was not allowed to connect to the engine.")
  kit.equal(kit.text "help", "Ask again")
  ui.answer = "allow"
  kit.press "help"
  kit.equal(kit.status(), "The engine is ready.")
end

function tests.no_websocket_is_explained()
  host.websockets = false
  kit.load()
  open()
  kit.press "make"
  kit.equal(kit.status(), "This Aseprite was built without WebSocket.")
  kit.press "help"
  kit.contains(ui.alerts[1], "aseprite -b FILE")
  kit.equal(ui.widget(kit.dialog(), "help").enabled, true)
end

function tests.another_protocol_is_explained()
  kit.load()
  local hello = {}
  for key, value in pairs(kit.HELLO) do hello[key] = value end
  hello.protocol, hello.protocols, hello.version = 3, { 2, 3 }, "12.0"
  local engine = kit.good_engine()
  engine.hello = hello
  open()
  kit.press "make"
  kit.equal(kit.status(), "Engine 12.0 speaks protocol 3, this extension 1: this extension is the older one.")
  kit.press "help"
  kit.contains(ui.alerts[1], "install-plugins")
  kit.equal(engine.socket.status, "closed")
end

function tests.several_protocols_are_fine()
  kit.load()
  local hello = {}
  for key, value in pairs(kit.HELLO) do hello[key] = value end
  hello.protocol, hello.protocols = 2, { 1, 2 }
  kit.good_engine().hello = hello
  open()
  kit.press "make"
  kit.contains(kit.status(), "Ready")
end

function tests.address_must_be_this_machine()
  kit.load { connection = 'return { host = "example.com", port = 80, token = "x" }' }
  local engine = kit.good_engine()
  open()
  kit.press "make"
  kit.equal(kit.status(), "The spriteface engine is not running.")
  kit.equal(engine.socket, nil)
end

function tests.connection_file_runs_no_code()
  kit.load { connection = 'app.alert("boo") return { host = "127.0.0.1", port = 27630, token = "x" }' }
  open()
  kit.press "make"
  kit.equal(kit.status(), "The spriteface engine is not running.")
  kit.equal(#ui.alerts, 0)
end

function tests.token_and_port_reach_the_url()
  kit.load()
  local engine = kit.good_engine()
  open()
  kit.press "make"
  kit.equal(engine.socket.url, "ws://127.0.0.1:27630/v1/socket?token=secret")
  kit.equal(engine.socket.deflate, false)
  assert(engine.socket.maxwait)
end

function tests.added_by_hand_reads_the_engines_own_file()
  local state = os.tmpname()
  os.remove(state)
  os.execute("mkdir '" .. state .. "'")
  local file = assert(io.open(state .. "/engine.json", "w"))
  file:write('{"protocol": 1, "version": "0.1.0", "host": "127.0.0.1", "port": 27631, "token": "abc", "log": "/l"}')
  file:close()
  kit.load { connection = false, launch = false, state = state }
  local engine = kit.good_engine()
  open()
  kit.press "make"
  kit.equal(engine.socket.url, "ws://127.0.0.1:27631/v1/socket?token=abc")
  kit.equal(#ui.questions, 1, "one question, answered with full trust")
  os.execute("rm -r '" .. state .. "'")
end

function tests.cancel_sends_cancel_and_ends()
  kit.load()
  local engine = kit.engine(function(header, _, reply, id)
    if header.type == "submit" then reply { type = "progress", id = id, stage = "rendering", fraction = 0.5 } end
  end)
  open()
  kit.press "make"
  kit.press "cancel"
  kit.equal(engine.sent[2].type, "cancel")
  kit.equal(engine.sent[2].id, "job1")
  kit.equal(kit.status(), "Cancelled.")
  kit.equal(ui.widget(kit.dialog(), "make").enabled, true)
  kit.equal(ui.widget(kit.dialog(), "insert").enabled, false)
end

function tests.cancel_before_the_job_has_an_id()
  kit.load()
  local engine = kit.engine(nil, { mute = true })
  open()
  kit.press "make"
  kit.press "cancel"
  kit.equal(#engine.sent, 1, "nothing to cancel yet")
  engine.reply { type = "accepted", id = "late", kind = "portrait", position = 0, ref = engine.sent[1].ref }
  ui.pump()
  kit.equal(engine.sent[2].type, "cancel")
  kit.equal(engine.sent[2].id, "late")
  kit.equal(kit.status(), "Cancelled.")
end

function tests.cancel_while_connecting()
  kit.load()
  kit.engine(nil, { silent = true })
  open()
  kit.press "make"
  kit.press "cancel"
  kit.equal(kit.status(), "Cancelled.")
  kit.equal(ui.widget(kit.dialog(), "make").enabled, true)
end

function tests.cancel_in_the_second_of_several_frames()
  kit.load()
  kit.sprite { frames = 3 }
  document.range = { type = 2, frames = { 1, 2, 3 } }
  local engine = kit.engine(function(header, images, reply, id)
    if header.type ~= "submit" or header.ref == 2 then return end
    local w = images[1].entry.width
    reply({ type = "result", id = id, index = 0, seed = 0, face = { crop = { 0, 0, w, w } } },
      { kit.picture("portrait", 64, 64), kit.picture("small", math.tointeger(w), math.tointeger(w)) })
    reply { type = "done", id = id, count = 1, seconds = 1 }
  end)
  kit.run "SpritefacePortrait"
  ui.set(kit.dialog(), "frames", "Selected frames")
  kit.press "make"
  kit.press "cancel"
  kit.equal(engine.sent[3].type, "cancel")
  kit.equal(engine.sent[3].id, "job2")
  kit.equal(#engine.sent, 3, "no job for the third frame")
end

function tests.closing_the_dialog_closes_the_connection()
  kit.load()
  local engine = kit.engine(function() end)
  open()
  kit.press "make"
  ui.close(kit.dialog())
  ui.pump()
  kit.equal(engine.socket.status, "closed")
  kit.equal(engine.closed, 1)
  -- what the engine still says is nobody's business, and breaks nothing
  engine.socket.status = "open"
  engine.reply { type = "progress", id = "job1", stage = "rendering", fraction = 0.9 }
  ui.pump()
end

function tests.a_job_keeps_its_socket_alive()
  kit.load()
  local engine = kit.engine(function() end)
  open()
  kit.press "make"
  collectgarbage()
  collectgarbage()
  assert(not engine.socket.lost, "the socket was garbage")
  kit.equal(engine.socket.status, "open")
end

function tests.engine_lost_in_mid_job()
  kit.load()
  local engine = kit.engine(function() end)
  open()
  kit.press "make"
  ui.broken(engine.socket)
  ui.pump()
  kit.equal(kit.status(), "The engine went away.")
  kit.equal(kit.text "help", "Connect again")
  kit.equal(engine.socket.status, "closed", "or it would reconnect for ever")
  kit.equal(ui.widget(kit.dialog(), "make").enabled, true)
  kit.good_engine()
  kit.press "make"
  kit.contains(kit.status(), "Ready")
end

function tests.engine_that_says_bye()
  kit.load()
  local engine = kit.engine(function() end)
  open()
  kit.press "make"
  engine.reply { type = "bye", reason = "shutdown" }
  ui.pump()
  kit.equal(kit.status(), "The engine went away.")
end

function tests.unreadable_bytes()
  for _, bytes in ipairs { "", "abc", "\255\255\255\255", string.pack("<I4", 2) .. "{}x", string.pack("<I4", 5) .. "[1,2]", string.pack("<I4", 3) .. "nul" } do
    kit.load()
    local engine = kit.engine(function() end)
    open()
    kit.press "make"
    ui.received(engine.socket, bytes)
    ui.pump()
    kit.contains(kit.status(), "The engine")
    kit.equal(engine.socket.status, "closed")
    ui.close(kit.dialog())
  end
end

function tests.unknown_messages_are_ignored()
  kit.load()
  local engine = kit.engine(function(header, _, reply, id)
    if header.type ~= "submit" then return end
    reply { type = "news", id = id, text = "of a later protocol" }
    reply { type = "progress", id = id, stage = "dreaming", fraction = 0.1, loss = nil, more = { 1 } }
  end)
  open()
  kit.press "make"
  kit.contains(kit.status(), "dreaming... 10%")
  assert(engine)
end

function tests.errors_of_the_engine_are_shown_with_their_hint()
  kit.load()
  kit.engine(function(_, _, reply, id)
    reply { type = "error", id = id, code = "generator", message = "generator 'x' cannot be loaded", hint = "spriteface models list", log = "/l" }
  end)
  open()
  kit.press "make"
  kit.contains(kit.status(), "generator 'x' cannot be loaded: spriteface models list")
end

function tests.busy_without_an_id()
  kit.load()
  local engine = kit.engine(nil, { mute = true })
  open()
  kit.press "make"
  engine.reply { type = "error", ref = engine.sent[1].ref, code = "busy", message = "16 jobs wait already", hint = "try later" }
  ui.pump()
  kit.contains(kit.status(), "16 jobs wait already: try later")
  kit.equal(ui.widget(kit.dialog(), "make").enabled, true)
end

function tests.waiting_says_how_many_are_before()
  kit.load()
  kit.engine(function(_, _, reply, id)
    reply { type = "progress", id = id, stage = "waiting", fraction = 0, position = 2 }
  end)
  open()
  kit.press "make"
  kit.contains(kit.status(), "waiting, 2 before")
end

function tests.sprite_closed_in_mid_job()
  kit.load()
  local keep
  kit.engine(function(header, images, reply, id)
    if header.type == "submit" then keep = { images[1].entry.width, reply, id } end
  end)
  open()
  local doc = kit.newest()
  kit.press "make"
  document.sprite_object(doc):close()
  local w, reply, id = table.unpack(keep)
  reply({ type = "result", id = id, index = 0, seed = 0, face = { crop = { 0, 0, w, w } } },
    { kit.picture("portrait", 64, 64), kit.picture("small", math.tointeger(w), math.tointeger(w)) })
  reply { type = "done", id = id, count = 1, seconds = 1 }
  ui.pump()
  ui.set(kit.dialog(), "result", "New layer of this sprite")
  kit.press "insert"
  kit.contains(kit.status(), "hero.aseprite was closed. The portrait can still go to a new sprite.")
  ui.set(kit.dialog(), "result", "Enlarged copy of this sprite")
  kit.press "insert"
  kit.contains(kit.status(), "was closed")
  ui.set(kit.dialog(), "result", "New sprite")
  kit.press "insert"
  kit.contains(kit.status(), "Inserted as a new sprite.")
  kit.equal(#document.sprites, 1)
end

function tests.sprite_changed_in_mid_job()
  kit.load()
  kit.good_engine()
  open()
  local doc = kit.newest()
  kit.press "make"
  document.change_pixel_format(doc, "indexed")
  ui.set(kit.dialog(), "result", "New layer of this sprite")
  kit.press "insert"
  kit.contains(kit.status(), "has another colour mode now")
  kit.equal(kit.layer(doc, "Portrait"), nil)
  document.change_pixel_format(doc, "rgb")
  document.sprite_size(doc, 64, 64)
  kit.press "insert"
  kit.contains(kit.status(), "has another size now")
  kit.press "again"
  kit.equal(ui.widget(kit.dialog(), "insert").enabled, false)
  kit.contains(kit.text "from", "64x64")
end

function tests.another_sprite_is_active_at_the_end()
  kit.load()
  kit.good_engine()
  local doc = kit.sprite()
  kit.run "SpritefacePortrait"
  kit.press "make"
  local other = kit.sprite { filename = "/art/other.aseprite" }
  ui.set(kit.dialog(), "result", "New layer of this sprite")
  kit.press "insert"
  kit.equal(#doc.undo, 1, "one step, although another sprite was active")
  kit.equal(#other.undo, 0)
end

function tests.a_failed_insert_leaves_nothing_behind()
  kit.load()
  kit.good_engine()
  open()
  local doc = kit.newest()
  kit.press "make"
  local before = kit.fingerprint(doc)
  local plain = document.Image
  local meta = getmetatable(document.sprite_object(doc))
  local index = meta.__index
  meta.__index = function(object, key)
    if key == "newCel" then return function() error("out of memory", 0) end end
    return index(object, key)
  end
  for _, result in ipairs { "New layer of this sprite", "New sprite", "Enlarged copy of this sprite" } do
    ui.set(kit.dialog(), "result", result)
    kit.press "insert"
    kit.contains(kit.status(), "out of memory")
    kit.equal(kit.fingerprint(doc), before)
    kit.equal(#doc.undo, 0)
    kit.equal(#document.sprites, 1)
  end
  assert(plain)
end

function tests.no_second_dialog_over_a_running_job()
  kit.load()
  kit.engine(function() end)
  open()
  kit.press "make"
  kit.run "SpritefacePortrait"
  kit.contains(ui.alerts[1], "A portrait is being made")
  kit.equal(#ui.dialogs, 1)
end

function tests.engine_dialog()
  kit.load()
  local engine = kit.good_engine()
  kit.run "SpritefaceEngine"
  kit.equal(kit.status(), "The engine is ready.")
  kit.equal(kit.text "version", "9.9")
  kit.equal(kit.text "port", "27630")
  kit.equal(ui.widget(kit.dialog(), "start").enabled, false)
  kit.press "stop"
  kit.equal(engine.sent[1].type, "shutdown")
  engine.reply { type = "bye", reason = "shutdown" }
  ui.pump()
  kit.equal(ui.widget(kit.dialog(), "start").enabled, true)
  kit.equal(kit.text "version", "-")
end

function tests.engine_dialog_shows_the_log()
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  for i = 1, 30 do file:write("line " .. i .. "\n") end
  file:close()
  kit.load { connection = false, launch = ('return { command = { "x" }, log = "%s" }'):format(path) }
  kit.run "SpritefaceEngine"
  kit.equal(kit.text "log", path)
  kit.press "show_log"
  kit.contains(ui.alerts[1], "line 30")
  assert(not ui.alerts[1]:find("line 18\n", 1, true))
  os.remove(path)
  kit.press "show_log"
  kit.contains(ui.alerts[2], "cannot be read")
end

function tests.own_start_command()
  local ran
  host.execute = function(line)
    ran = line
    return true
  end
  kit.load { connection = false }
  kit.run "SpritefaceEngine"
  ui.set(kit.dialog(), "command", "/opt/sf/bin/spriteface serve --background")
  kit.press "start"
  kit.contains(ran, "/opt/sf/bin/spriteface serve --background >/dev/null")
  kit.equal(kit.plugin.preferences.start_command, "/opt/sf/bin/spriteface serve --background")
end

function tests.program_not_allowed()
  kit.load { connection = false }
  ui.answer = "deny"
  kit.run "SpritefaceEngine"
  kit.press "start"
  kit.contains(kit.status(), "not allowed to run a program")
  kit.equal(#host.shell, 0)
end
