-- "Portrait of face...": what is taken, what comes back, what never changes.

local ColorMode = host.values.ColorMode

local function open(command)
  kit.load()
  kit.run(command or "SpritefacePortrait")
  return kit.dialog()
end

local function make(result, settings)
  for id, value in pairs(settings or {}) do ui.set(kit.dialog(), id, value) end
  ui.set(kit.dialog(), "size", "256")
  kit.press "make"
  if result then ui.set(kit.dialog(), "result", result) end
  kit.press "insert"
end

function tests.commands_and_menus()
  kit.sprite()
  kit.load()
  kit.equal(host.menu_groups.spriteface_menu.group, "sprite_color")
  local groups = {}
  for id, entry in pairs(host.commands) do groups[id] = entry.group end
  kit.equal(groups.SpritefacePortrait, "spriteface_menu")
  kit.equal(groups.SpritefaceFindFaces, "spriteface_menu")
  kit.equal(groups.SpritefaceRestore, "spriteface_menu")
  kit.equal(groups.SpritefaceEngine, "spriteface_menu")
  kit.equal(groups.SpritefacePortraitOfSlice, "slice_popup_properties")
  kit.equal(groups.SpritefacePortraitOfCel, "cel_popup_properties")
end

function tests.no_sprite_no_command()
  kit.load()
  kit.equal(kit.run "SpritefacePortrait", false)
  kit.equal(kit.run "SpritefaceEngine", true)
end

function tests.new_sprite()
  local doc = kit.sprite()
  local before = kit.fingerprint(doc)
  kit.slice(doc, "face-1", 8, 8, 16, 16)
  document.range = { slices = { doc.slices[1].id } }
  before = kit.fingerprint(doc)
  local engine = kit.good_engine()
  open()
  kit.contains(kit.text "from", "hero.aseprite: slice face-1, 16x16, frame 1")
  make(nil, { seed = 7, faithful = 30 })
  local job = engine.sent[1]
  kit.equal(job.type, "submit")
  kit.equal(job.protocol, 1)
  kit.equal(job.kind, "portrait")
  kit.equal(job.extract.detector, "whole")
  kit.equal(job.extract.limit, 1)
  kit.equal(job.extract.scale[1], 1)
  kit.equal(job.portrait.size, 256)
  kit.equal(job.portrait.seed, 7)
  kit.equal(job.portrait.faithful, 0.3)
  kit.equal(job.portrait.matte, true)
  kit.equal(engine.images[1][1].entry.width, 16)
  local made = kit.newest()
  assert(made ~= doc)
  kit.equal(made.width, 256)
  kit.equal(made.mode, ColorMode.RGB)
  kit.equal(made.filename, "hero-portrait.aseprite")
  kit.equal(#made.undo, 1, "undo steps of the new sprite")
  kit.equal(made.undo[1].label, "Spriteface: portrait")
  local expected = kit.picture("p", 256, 256).data
  kit.equal(host.files.rows(made.layers[1].cels[1].data.image), expected, "pixels")
  kit.equal(kit.fingerprint(doc), before, "the original")
  kit.equal(#doc.undo, 0, "undo steps of the original")
  kit.contains(kit.status(), "Inserted as a new sprite")
end

function tests.one_permission_question_in_all()
  kit.sprite()
  kit.good_engine()
  open()
  make()
  make()
  ui.close(kit.dialog())
  kit.run "SpritefaceEngine"
  kit.equal(#ui.questions, 1, "questions")
  kit.equal(ui.questions[1].mode, "socket")
  kit.contains(ui.questions[1].file, "/privileged.lua")
end

function tests.allowed_only_for_the_connection()
  ui.answer = "allow"
  kit.sprite()
  kit.good_engine()
  open()
  make()
  ui.close(kit.dialog())
  kit.run "SpritefacePortrait"
  make()
  kit.equal(#ui.questions, 1, "questions")
end

function tests.new_layer_rgb()
  local doc = kit.sprite()
  kit.select(doc, 8, 8, 16, 16)
  local before = kit.fingerprint(doc)
  kit.good_engine()
  open()
  kit.contains(kit.text "from", "selection, 16x16")
  make "New layer of this sprite"
  kit.equal(#doc.undo, 1)
  kit.equal(doc.undo[1].label, "Spriteface: portrait layer")
  local cel = kit.layer(doc, "Portrait").cels[1]
  kit.equal(cel.data.x, 8)
  kit.equal(cel.data.image.w, 16)
  -- clear where the sprite is clear, the small portrait elsewhere
  kit.equal(kit.pixel(cel.data.image, 0, 0), 0)
  kit.equal(kit.pixel(cel.data.image, 8, 8) & 255, 8 * 255 // 16)
  document.step_back(doc)
  kit.equal(kit.fingerprint(doc), before, "after undo")
end

function tests.new_layer_gray()
  local doc = kit.sprite { mode = ColorMode.GRAY }
  kit.select(doc, 8, 8, 16, 16)
  local engine = kit.good_engine()
  open()
  make "New layer of this sprite"
  kit.equal(engine.images[1][1].entry.format, "rgba8")
  local image = kit.layer(doc, "Portrait").cels[1].data.image
  kit.equal(image.mode, ColorMode.GRAY)
  kit.equal(kit.pixel(image, 0, 0) >> 8, 0)
  kit.equal(kit.pixel(image, 8, 8) >> 8, 255)
end

function tests.new_layer_indexed_keeps_palette_and_transparent_index()
  local doc = kit.sprite { mode = ColorMode.INDEXED, transparent = 5, colors = kit.COLORS }
  kit.select(doc, 8, 8, 16, 16)
  local palette = #doc.palettes[1].colors
  local engine = kit.good_engine()
  open()
  make "New layer of this sprite"
  kit.equal(engine.images[1][1].entry.format, "index8")
  kit.equal(engine.images[1][1].entry.transparent, 5)
  kit.equal(engine.sent[2].kind, "restore")
  kit.equal(engine.sent[2].output.width, 16)
  kit.equal(engine.images[2][2].entry.name, "source")
  local image = kit.layer(doc, "Portrait").cels[1].data.image
  kit.equal(image.mode, ColorMode.INDEXED)
  kit.equal(image.mask, 5)
  local body = doc.layers[1].cels[1].data.image
  for i, index in ipairs(document.pixels_of(image)) do
    local clear = kit.pixel(body, 8 + (i - 1) % 16, 8 + (i - 1) // 16) == 5
    kit.equal(index, clear and 5 or (i - 1) % 8, "index")
  end
  kit.equal(#doc.palettes[1].colors, palette, "palette")
  kit.equal(#doc.undo, 1)
end

function tests.enlarged_copy()
  local doc = kit.sprite { mode = ColorMode.INDEXED, frames = 2, transparent = 0 }
  kit.slice(doc, "eye", 9, 9, 3, 3)
  kit.tag(doc, "walk", 1, 2)
  doc.layers[1].cels[2].data = doc.layers[1].cels[1].data -- linked cels
  kit.select(doc, 8, 8, 16, 16)
  local before = kit.fingerprint(doc)
  kit.good_engine()
  open()
  make "Enlarged copy of this sprite"
  local copy = kit.newest()
  assert(copy ~= doc)
  kit.equal(copy.mode, ColorMode.RGB)
  kit.equal(copy.width, 32 * 16)
  kit.equal(copy.filename, "/art/hero-x16.aseprite")
  kit.equal(copy.undo[#copy.undo].label, "Spriteface: enlarged copy")
  kit.equal(copy.frames[2].duration, 120)
  kit.equal(copy.tags[1].name, "walk")
  kit.equal(copy.slices[1].bounds.x, 9 * 16)
  local cel = kit.layer(copy, "Portrait").cels[1]
  kit.equal(cel.data.x, 128)
  kit.equal(cel.data.image.w, 256)
  local body = copy.layers[1].cels
  assert(body[1].data == body[2].data, "cels are no longer linked")
  kit.equal(kit.fingerprint(doc), before, "the original")
  kit.equal(#doc.undo, 0)
end

function tests.palette_version()
  local doc = kit.sprite { mode = ColorMode.INDEXED, transparent = 5 }
  kit.select(doc, 8, 8, 16, 16)
  local before = kit.fingerprint(doc)
  for scale, label in pairs { [2] = "In the palette, x2", [4] = "In the palette, x4", [8] = "In the palette, x8" } do
    kit.good_engine()
    open()
    make(label)
    local made = kit.newest()
    kit.equal(made.mode, ColorMode.INDEXED)
    kit.equal(made.width, 16 * scale)
    kit.equal(made.transparent, 5)
    kit.equal(#made.palettes[1].colors, #kit.COLORS)
    for i, c in ipairs(kit.COLORS) do kit.equal(made.palettes[1].colors[i][1], c[1], "palette") end
    kit.equal(made.filename, "hero-x" .. scale .. ".aseprite")
    kit.equal(#made.undo, 1)
    kit.equal(made.undo[1].label, "Spriteface: palette version")
    document.active = doc
    ui.close(kit.dialog())
  end
  kit.equal(kit.fingerprint(doc), before)
end

function tests.palette_version_of_rgb_sprite()
  kit.sprite()
  kit.good_engine()
  open()
  make "In the palette, x2"
  local made = kit.newest()
  kit.equal(made.mode, ColorMode.INDEXED)
  kit.equal(#made.palettes[1].colors, 3)
  kit.equal(made.transparent, 2)
end

function tests.frames_of_a_tag()
  local doc = kit.sprite { frames = 4 }
  kit.tag(doc, "walk", 2, 4)
  doc.layers[1].cels[4].data.image.bytes = doc.layers[1].cels[3].data.image.bytes -- the same picture twice
  document.frame = 3
  local engine = kit.good_engine()
  open()
  ui.set(kit.dialog(), "frames", "The tag's frames")
  kit.contains(kit.text "from", "3 frames of walk")
  make()
  kit.equal(#engine.sent, 2, "jobs for three frames of two pictures")
  local made = kit.newest()
  kit.equal(#made.frames, 3)
  kit.equal(made.frames[1].duration, 120)
  kit.equal(made.frames[3].duration, 140)
  kit.equal(made.tags[1].name, "walk")
  assert(made.layers[1].cels[3])
  kit.equal(#made.undo, 1)
end

function tests.frame_range_as_layer()
  local doc = kit.sprite { frames = 3 }
  kit.select(doc, 8, 8, 16, 16)
  document.range = { type = 2, frames = { 3, 2 } }
  kit.good_engine()
  open()
  ui.set(kit.dialog(), "frames", "Selected frames")
  make "New layer of this sprite"
  local cels = kit.layer(doc, "Portrait").cels
  assert(not cels[1] and cels[2] and cels[3])
  kit.equal(#doc.undo, 1)
end

function tests.odd_durations_survive()
  local doc = kit.sprite { frames = 2 }
  doc.frames[1].duration, doc.frames[2].duration = 290, 1
  document.range = { type = 2, frames = { 1, 2 } }
  kit.good_engine()
  open()
  ui.set(kit.dialog(), "frames", "Selected frames")
  make()
  kit.equal(kit.newest().frames[1].duration, 290)
  kit.equal(kit.newest().frames[2].duration, 1)
end

function tests.active_cel_without_the_layers_below()
  local doc = kit.sprite()
  local under = doc.layers[1]
  local top = document.add_layer(doc, "Head")
  local image = document.make_image(4, 3, 0, 0, 0xff0000ff)
  document.add_cel(doc, top, 1, image, 30, 30) -- partly outside the canvas
  document.layer = top.id
  local engine = kit.good_engine()
  open "SpritefacePortraitOfCel"
  kit.contains(kit.text "from", "cel, 4x3")
  make "New layer of this sprite"
  local sent = engine.images[1][1]
  kit.equal(sent.entry.width, 4)
  kit.equal(sent.data, ("\255\0\0\255"):rep(12))
  kit.equal(kit.layer(doc, "Portrait").cels[1].data.x, 30)
  assert(under.cels[1])
end

function tests.uneven_selection_is_clear_outside()
  local doc = kit.sprite { background = true, mode = ColorMode.RGB }
  doc.layers[1].background = nil
  kit.select(doc, 0, 0, 8, 8)
  doc.selection.hole = function(x, y) return x == y end
  local engine = kit.good_engine()
  open()
  kit.press "make"
  local data = engine.images[1][1].data
  kit.equal(data:byte(4), 0)
  kit.equal(data:byte(8), 255)
end

function tests.selection_beyond_the_canvas()
  local doc = kit.sprite()
  kit.select(doc, -4, -4, 8, 8)
  kit.good_engine()
  open()
  kit.contains(kit.text "from", "selection, 4x4")
end

function tests.slice_popup_needs_to_know_the_slice()
  local doc = kit.sprite()
  kit.slice(doc, "a", 0, 0, 4, 4)
  kit.good_engine()
  open "SpritefacePortraitOfSlice" -- the only one
  kit.contains(kit.text "from", "slice a")
  ui.close(kit.dialog())
  kit.slice(doc, "b", 4, 4, 4, 4)
  kit.run "SpritefacePortraitOfSlice"
  kit.contains(ui.alerts[1], "Click the slice once")
  document.range = { slices = { doc.slices[2].id } }
  kit.run "SpritefacePortraitOfSlice"
  kit.contains(kit.text "from", "slice b")
end

function tests.background_layers_lose_no_index()
  local doc = kit.sprite { mode = ColorMode.INDEXED, background = true, transparent = 1 }
  doc.layers[1].background = true
  local engine = kit.good_engine()
  open()
  kit.press "make"
  kit.equal(engine.images[1][1].entry.transparent, nil)
end

function tests.preview_is_drawn_and_touches_nothing()
  local doc = kit.sprite()
  local before = kit.fingerprint(doc)
  local engine = kit.engine(function(_, _, reply, id)
    reply({ type = "progress", id = id, stage = "searching", fraction = 0.25, loss = 0.5 }, { kit.picture("preview", 64, 64) })
  end)
  local dialog = open()
  kit.press "make"
  kit.contains(kit.status(), "searching... 25%")
  local images, bar = {}, nil
  for _, call in ipairs(ui.widget(dialog, "canvas").painted) do
    if call[1] == "drawImage" then images[#images + 1] = call end
    if call[1] == "fillRect" and call[2].h == 6 then bar = call[2].w end
  end
  kit.equal(#images, 2, "preview and original")
  kit.equal(images[1][2].width, 64)
  kit.equal(images[1][4].w, 256)
  kit.equal(bar, 64)
  kit.equal(ui.widget(dialog, "make").enabled, false)
  kit.equal(ui.widget(dialog, "cancel").enabled, true)
  kit.equal(kit.fingerprint(doc), before)
  kit.equal(#doc.undo, 0)
  kit.equal(#document.sprites, 1)
  assert(engine)
end

function tests.no_face_offers_the_whole_area()
  kit.sprite()
  local tries = {}
  kit.engine(function(header, _, reply, id)
    tries[#tries + 1] = header.extract.detector or "auto"
    reply { type = "error", id = id, code = "no_face", message = "no face in the picture", hint = "try the whole area" }
  end)
  document.layer = nil
  open()
  ui.set(kit.dialog(), "face", "Look for it in the area")
  kit.press "make"
  kit.contains(kit.status(), "no face in the picture: try the whole area")
  kit.equal(kit.text "help", "Take the whole area")
  kit.press "help"
  kit.equal(tries[1], "auto")
  kit.equal(tries[2], "whole")
end

function tests.some_frames_without_face()
  kit.sprite { frames = 3 }
  document.range = { type = 2, frames = { 1, 2, 3 } }
  local count = 0
  local plain = kit.good_engine()
  local good = ui.websocket_answer
  assert(plain and good)
  kit.engine(function(_, images, reply, id)
    count = count + 1
    if count == 1 then return reply { type = "error", id = id, code = "no_face", message = "no face", hint = "" } end
    local w = images[1].entry.width
    reply({ type = "result", id = id, index = 0, seed = 0, face = { crop = { 0, 0, w, w } } },
      { kit.picture("portrait", 64, 64), kit.picture("small", math.tointeger(w), math.tointeger(w)) })
    reply { type = "done", id = id, count = 1, seconds = 1 }
  end)
  open()
  ui.set(kit.dialog(), "frames", "Selected frames")
  kit.press "make"
  kit.contains(kit.status(), "Ready, but frame 1: no face")
  kit.press "insert"
  local cels = kit.newest().layers[1].cels
  assert(not cels[1] and cels[2] and cels[3])
end

function tests.crops_beyond_the_area()
  -- the engine's square may stick out of what was sent
  local doc = kit.sprite { mode = ColorMode.INDEXED, transparent = 0 }
  kit.select(doc, 8, 8, 16, 16)
  kit.good_engine { face = { -2, -3, 20, 20 } }
  open()
  make "New layer of this sprite"
  local cel = kit.layer(doc, "Portrait").cels[1]
  kit.equal(cel.data.x, 6)
  kit.equal(cel.data.y, 5)
  kit.equal(cel.data.image.w, 20)
end

function tests.preferences_are_remembered()
  kit.sprite()
  kit.good_engine()
  open()
  make "Enlarged copy of this sprite"
  kit.equal(kit.plugin.preferences.size, "256")
  ui.close(kit.dialog())
  document.active = document.sprites[1]
  kit.run "SpritefacePortrait"
  kit.equal(ui.widget(kit.dialog(), "size").option, "256")
  kit.equal(ui.widget(kit.dialog(), "result").option, "Enlarged copy of this sprite")
end

function tests.the_matte_stands_in_scenes_only()
  local doc = kit.sprite()
  document.set_pixels(doc.layers[1].cels[1].data.image, (function()
    local list = {}
    for i = 1, 32 * 32 do list[i] = 0xff806040 end -- a scene that is nowhere clear
    return list
  end)())
  kit.select(doc, 8, 8, 16, 16)
  kit.good_engine { matte = true }
  open()
  make "New layer of this sprite"
  local image = kit.layer(doc, "Portrait").cels[1].data.image
  kit.equal(kit.pixel(image, 3, 3) >> 24, 0)
  kit.equal(kit.pixel(image, 3, 12) >> 24, 255)
  ui.set(kit.dialog(), "result", "Enlarged copy of this sprite")
  kit.press "insert"
  image = kit.layer(kit.newest(), "Portrait").cels[1].data.image
  kit.equal(kit.pixel(image, 100, 3) >> 24, 0)
  kit.equal(kit.pixel(image, 100, 250) >> 24, 255)
  ui.set(kit.dialog(), "result", "New sprite")
  kit.press "insert"
  image = kit.newest().layers[1].cels[1].data.image
  kit.equal(kit.pixel(image, 100, 3) >> 24, 255)
  kit.equal(kit.pixel(image, 100, 3) & 255, 100 * 255 // 256, "its own background")
end

function tests.the_matte_in_an_indexed_scene()
  local doc = kit.sprite { mode = ColorMode.INDEXED, background = true, transparent = 0 }
  kit.select(doc, 12, 12, 8, 8)
  local engine = kit.good_engine { matte = true }
  open()
  make "New layer of this sprite"
  kit.equal(engine.images[2][1].data:byte(4), 255, "the picture to be restored")
  local image = kit.layer(doc, "Portrait").cels[1].data.image
  kit.equal(kit.pixel(image, 3, 1), 0)
  assert(kit.pixel(image, 3, 6) ~= 0)
end
