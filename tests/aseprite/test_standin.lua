-- The stand-in itself: that it has the traps it is there for. Each trap springs on code that falls
-- into it, and not on code that doesn't.

local core, values, json = host.core, host.values, host.json
local ColorMode, Rectangle, Point = values.ColorMode, values.Rectangle, values.Point

-- Runs code that must raise; a violation expected is taken off the list. Returns the message.
local function raises(run, part)
  local ok, problem = pcall(run)
  assert(not ok, "nothing was raised")
  core.violations = {}
  if part then kit.contains(problem, part) end
  return problem
end

local function sprite(options)
  local doc = kit.sprite(options)
  return document.sprite_object(doc), doc
end


function tests.unknown_names_raise()
  local object = sprite()
  raises(function() return object.nothing end, "Sprite.nothing is not documented")
  raises(function() object.width = 3 end, "Sprite.width cannot be set")
  raises(function() return ColorMode.CMYK end, "ColorMode.CMYK is not documented")
  raises(function() return host.ui.Dialog { titel = "x" } end, "option titel is not documented")
  raises(function() host.ui.Dialog {}:entry { id = "a", txt = "b" } end, "option txt is not documented")
end

function tests.newer_names_raise()
  local object = sprite()
  core.version = 25
  raises(function() return document.Image(1, 1).bytesPerPixel end, "came with API 26")
  raises(function() return object.isValid end, "came with API 38")
  core.version = 38
  kit.equal(object.isValid, true)
  kit.equal(document.Image(1, 1).bytesPerPixel, 4)
end

function tests.fractions_are_cut()
  raises(function() return Rectangle(0, 0, 2.5, 1) end, "2.5 would be cut")
  kit.equal(Rectangle(0, 0, 2.0, 1).width, 2)
end

function tests.cel_bytes_cannot_be_undone()
  local object = sprite()
  local image = object.cels[1].image
  raises(function() image.bytes = image.bytes end, "cannot be undone")
  raises(function() image:drawPixel(0, 0, 0) end, "cannot be undone")
  local free = image:clone()
  free.bytes = free.bytes -- an image of no cel may
  raises(function() free.bytes = "abc" end, "given 3, needed 4096")
end

function tests.rows_may_be_padded()
  document.row_align = 16
  local image = document.Image(3, 2, ColorMode.INDEXED)
  kit.equal(image.rowStride, 16)
  kit.equal(#image.bytes, 32)
end

function tests.colour_modes_do_not_mix()
  local object, doc = sprite { mode = ColorMode.INDEXED }
  local rgb = document.Image(4, 4)
  raises(function() object.cels[1].image = rgb end, "saves a corrupt file")
  raises(function() object.cels[1].image:drawImage(rgb) end, "nearest colours")
  raises(function() object:newCel(object.layers[1], 1, rgb) end, "newCel with colour mode")
  kit.equal(#doc.undo, 0)
end

function tests.saving_images_needs_a_palette_or_no_table()
  local path = os.tmpname()
  raises(function() document.Image(2, 2):saveAs { filename = path } end, "missing palette")
  raises(function() document.Image(2, 2, ColorMode.INDEXED):saveAs(path) end, "without palette")
  document.Image(2, 2):saveAs(path)
  os.remove(path)
end

function tests.single_changes_are_single_steps()
  local object, doc = sprite()
  object:newLayer().name = "A"
  object.cels[1].position = Point(1, 1)
  kit.equal(#doc.undo, 3)
  document.step_back(doc)
  kit.equal(object.cels[1].position, Point(0, 0))
  document.step_forward(doc)
  kit.equal(object.cels[1].position, Point(1, 1))
end

function tests.transactions_group_nest_and_roll_back()
  local object, doc = sprite()
  document.transaction("Outer", function()
    object:newLayer()
    document.transaction("Inner", function() object:newLayer() end)
  end)
  kit.equal(#doc.undo, 1)
  kit.equal(doc.undo[1].label, "Outer")
  local before = kit.fingerprint(doc)
  local kept
  raises(function()
    document.transaction("Fails", function()
      kept = object:newLayer()
      object.cels[1].position = Point(5, 5)
      error("on purpose", 0)
    end)
  end, "on purpose")
  kit.equal(kit.fingerprint(doc), before)
  kit.equal(#doc.undo, 1)
  raises(function() return kept.name end, "Using a nil 'Layer' object")
  document.transaction("Empty", function() end)
  kit.equal(#doc.undo, 1)
end

function tests.transactions_belong_to_the_active_sprite()
  local first, first_doc = sprite()
  local _, second_doc = sprite()
  document.transaction("Both", function()
    first:newLayer()
    first:newLayer()
  end)
  kit.equal(#first_doc.undo, 2, "not grouped")
  kit.equal(first_doc.undo[1].label, "Transaction")
  kit.equal(#second_doc.undo, 0)
  document.active = nil
  raises(function() document.transaction("None", function() end) end, "without an active sprite")
end

function tests.closed_sprites_raise()
  local object = sprite()
  local cel = object.cels[1]
  object:close()
  raises(function() return object.width end, "Using a nil 'Sprite' object")
  raises(function() return cel.image end, "Using a nil 'Cel' object")
end

function tests.images_held_across_a_command_are_gone()
  local object, doc = sprite()
  local image = object.cels[1].image
  document.sprite_size(doc, 64, 64)
  raises(function() return image.width end, "Using a nil 'Image' object")
end

function tests.copies_share_the_file_name_and_nothing_else()
  local object, doc = sprite { frames = 2 }
  doc.layers[1].cels[2].data = doc.layers[1].cels[1].data
  kit.slice(doc, "a", 0, 0, 2, 2)
  local before = kit.fingerprint(doc)
  local copy = document.Sprite(object)
  local copy_doc = document.sprite_model(copy)
  kit.equal(copy.filename, object.filename)
  kit.equal(kit.fingerprint(copy_doc), before)
  copy:newLayer()
  copy.slices[1].name = "b"
  kit.equal(kit.fingerprint(doc), before)
  assert(copy ~= object)
end

function tests.new_indexed_sprites_show_index_0()
  local made = document.Sprite(values.ImageSpec { width = 2, height = 2, colorMode = ColorMode.INDEXED, transparentColor = 3 })
  kit.equal(made.cels[1].image:getPixel(0, 0), 0)
  kit.equal(made.transparentColor, 3)
end

function tests.palettes_raise_beyond_their_end()
  local object = sprite()
  raises(function() return object.palettes[2] end, "index out of bounds")
  raises(function() return object.palettes[1]:getColor(99) end, "index out of bounds")
  kit.equal(object.frames[9], nil)
  kit.equal(object.slices[1], nil)
end

function tests.saving_several_frames_as_png()
  local object = sprite { frames = 2 }
  raises(function() object:saveAs("/nonexistent/x.png") end, "one numbered file for each")
end

function tests.json_quirks()
  local value = json.decode '{"a": 16, "list": [1, 2], "empty": {}, "no": null, "text": "x\\u00e9\\n"}'
  kit.equal(math.type(value.a), "float")
  kit.equal(tostring(value.a), "16.0")
  kit.equal(#value.list, 2)
  kit.equal(value.no, nil)
  kit.equal(value.text, "x\u{e9}\n")
  local seen = 0
  for _ in pairs(value.list) do seen = seen + 1 end
  kit.equal(seen, 0, "pairs over an array")
  for _ in ipairs(value.list) do seen = seen + 1 end
  kit.equal(seen, 2, "ipairs over an array")
  kit.equal(json.encode {}, "[]")
  kit.equal(json.encode { list = { 1, 2.5 }, b = true }, '{"b": true, "list": [1, 2.5]}')
  kit.equal(json.encode { a = "x\0y" }, '{"a": "x"}')
  kit.equal(json.encode { a = 0 / 0 }, '{"a": null}')
  raises(function() json.decode "{" end)
  raises(function() json.encode { a = Point(1, 2) } end, "writes null")
end

function tests.privileged_calls_need_a_caller()
  kit.sprite()
  local folder = kit.folder { ["main.lua"] = [[
    function init(plugin)
      plugin:newCommand { id = "Direct", title = "a", onclick = function() local f = io.open("/x", "rb") end }
      plugin:newCommand { id = "Tail", title = "a", onclick = function() return io.open("/x", "rb") end }
      plugin:newCommand { id = "Protected", title = "a", onclick = function() pcall(io.open, "/x", "rb") end }
    end
  ]] }
  host.load_extension(folder, "main.lua")
  host.run "Direct"
  kit.equal(#ui.questions, 1)
  kit.contains(ui.questions[1].file, "main.lua")
  ui.granted = {}
  kit.console_allowed = true
  host.run "Tail"
  host.run "Protected"
  assert(#core.violations >= 1, "a tail call or pcall went unseen")
  core.violations = {}
end

function tests.no_require_in_callbacks()
  local folder = kit.folder { ["main.lua"] = [[
    function init(plugin)
      plugin:newCommand { id = "Late", title = "a", onclick = function() require "wire" end }
    end
  ]] }
  kit.console_allowed = true
  host.load_extension(folder, "main.lua")
  kit.equal(host.run "Late", false)
  kit.contains(core.console[1], "module 'wire' not found")
end

function tests.errors_in_init_are_swallowed()
  local folder = kit.folder { ["main.lua"] = "function init() error('lost', 0) end" }
  host.load_extension(folder, "main.lua")
  kit.equal(host.swallowed, "lost")
end

function tests.sandbox_is_aseprites()
  local folder = kit.folder { ["probe.lua"] = [[
    assert(type(Point(1, 2)) == "userdata")
    assert(not pcall(next, Point(1, 2)))
    assert(not pcall(pairs, Point(1, 2)))
    assert(not pcall(os.tmpname))
    assert(not pcall(os.exit))
    assert(app.params.a == "b")
    assert(app.sprite == nil and Dialog ~= nil)
  ]] }
  local ok, problem = host.run_script(folder .. "/probe.lua", { a = "b" })
  assert(ok, problem)
end

function tests.batch_mode()
  ui.available = false
  kit.equal(ui.Dialog {}, nil)
  local ticks = 0
  ui.Timer { interval = 0.1, ontick = function() ticks = ticks + 1 end }:start()
  ui.advance(1)
  kit.equal(ticks, 0)
  local heard = 0
  local socket = ui.WebSocket { url = "ws://127.0.0.1:1", onreceive = function() heard = heard + 1 end }
  ui.websocket_answer = function(s) ui.opened(s) ui.received(s, "x") end
  socket:connect()
  ui.pump()
  kit.equal(heard, 0)
  socket:sendBinary("sending works")
end

function tests.websocket_events()
  local events = {}
  local socket = ui.WebSocket { url = "ws://127.0.0.1:1", onreceive = function(kind, data, problem)
    events[#events + 1] = kind .. ":" .. data .. ":" .. tostring(problem)
  end }
  raises(function() socket:sendBinary("early") end, "not connected")
  local state
  ui.websocket_answer = function(s) state = s ui.opened(s) end
  socket:connect()
  ui.received(state, "one")
  ui.pump()
  socket:close()
  ui.pump()
  local third = core.version >= 37 and "" or "nil"
  kit.equal(table.concat(events, " "), ("1::%s 16:one:%s 2::%s"):format(third, third, third))
end

function tests.modal_dialogs_freeze()
  local dialog = ui.Dialog { title = "x" }
  raises(function() dialog:show() end, "would freeze the editor")
end

function tests.forgotten_sockets_are_closed()
  local state
  ui.websocket_answer = function(s) state = s ui.opened(s) end
  do
    local socket = ui.WebSocket { url = "ws://127.0.0.1:1" }
    socket:connect()
  end
  collectgarbage()
  collectgarbage()
  kit.equal(state.status, "closed")
end

