-- Find faces, bring back in palette, old versions of Aseprite, and batch mode without a UI.

local ColorMode = host.values.ColorMode

local function slices(doc)
  local out = {}
  for i, slice in ipairs(doc.slices) do
    local b = slice.bounds
    out[i] = ("%s %d,%d,%d,%d"):format(slice.name, b.x, b.y, b.w, b.h)
  end
  return table.concat(out, " | ")
end

function tests.find_faces_makes_slices()
  kit.load()
  local engine = kit.good_engine { faces = { { 8, 8, 16, 16 }, { 2, 3, 6, 6 } } }
  local doc = kit.sprite()
  kit.run "SpritefaceFindFaces"
  kit.equal(engine.sent[1].kind, "find")
  kit.equal(engine.images[1][1].entry.width, 32)
  kit.equal(slices(doc), "face-1 8,8,16,16 | face-2 2,3,6,6")
  kit.equal(#doc.undo, 1)
  kit.equal(doc.undo[1].label, "Spriteface: find faces")
  kit.equal(#ui.dialogs, 0, "the dialog closes by itself")
  document.step_back(doc)
  kit.equal(#doc.slices, 0)
end

function tests.find_faces_in_the_selection()
  kit.load()
  kit.good_engine { faces = { { -1, 0, 6, 6 } } }
  local doc = kit.sprite()
  kit.select(doc, 10, 12, 8, 8)
  kit.run "SpritefaceFindFaces"
  kit.equal(slices(doc), "face-1 9,12,6,6")
end

function tests.find_faces_again_numbers_on_and_repeats_nothing()
  kit.load()
  kit.good_engine { faces = { { 8, 8, 16, 16 }, { 40, 40, 8, 8 }, { 0, 0, 5, 5 } } }
  local doc = kit.sprite()
  kit.slice(doc, "face-7", 8, 8, 16, 16)
  kit.slice(doc, "door", 1, 1, 2, 2)
  kit.run "SpritefaceFindFaces"
  kit.equal(slices(doc), "face-7 8,8,16,16 | door 1,1,2,2 | face-8 0,0,5,5")
  kit.run "SpritefaceFindFaces"
  kit.equal(#doc.slices, 3)
  kit.contains(kit.status(), "All faces found have their slices already.")
end

function tests.find_faces_none()
  kit.load()
  kit.good_engine { faces = {} }
  local doc = kit.sprite()
  kit.run "SpritefaceFindFaces"
  kit.contains(kit.status(), "No face was found here")
  kit.equal(#doc.undo, 0)
end

function tests.find_faces_goes_on_once_the_engine_runs()
  host.execute = function() return true end
  kit.load { connection = false }
  kit.good_engine { faces = { { 8, 8, 16, 16 } } }
  local doc = kit.sprite()
  kit.run "SpritefaceFindFaces"
  kit.equal(kit.text "help", "Start engine")
  kit.press "help"
  local file = assert(io.open(kit.home .. "/connection.lua", "w"))
  file:write(kit.CONNECTION)
  file:close()
  ui.advance(2)
  kit.equal(slices(doc), "face-1 8,8,16,16")
end

function tests.find_faces_cancel()
  kit.load()
  local engine = kit.engine(function() end)
  kit.sprite()
  kit.run "SpritefaceFindFaces"
  kit.press "cancel"
  kit.equal(engine.sent[2].type, "cancel")
  kit.equal(kit.status(), "Cancelled.")
end

function tests.find_faces_sprite_closed_meanwhile()
  kit.load()
  local keep
  kit.engine(function(_, _, reply, id) keep = { reply, id } end)
  local doc = kit.sprite()
  kit.run "SpritefaceFindFaces"
  document.sprite_object(doc):close()
  local reply, id = table.unpack(keep)
  reply { type = "result", id = id, index = 0, faces = { { crop = { 0, 0, 4, 4 } } } }
  reply { type = "done", id = id, count = 1, seconds = 1 }
  ui.pump()
  kit.contains(kit.status(), "hero.aseprite was closed. No slices were made.")
end

function tests.bring_back_in_palette()
  kit.load()
  local engine = kit.good_engine()
  local original = kit.sprite { mode = ColorMode.INDEXED, transparent = 5 }
  local picture = kit.sprite { filename = "/art/painted.png", width = 24, height = 12 }
  local before = kit.fingerprint(picture) .. kit.fingerprint(original)
  document.layer = nil
  kit.select(picture, 0, 0, 24, 12)
  kit.run "SpritefaceRestore"
  kit.equal(ui.widget(kit.dialog(), "palette").option, "hero.aseprite (8 colours)")
  kit.equal(#ui.widget(kit.dialog(), "dither").options, 2, "the engine's dithers")
  ui.set(kit.dialog(), "dither", "bayer")
  ui.set(kit.dialog(), "width", 8)
  kit.press "go"
  local output = engine.sent[1].output
  kit.equal(output.width, 8)
  kit.equal(output.height, 4)
  kit.equal(output.dither, "bayer")
  kit.equal(output.transparent, 5)
  kit.equal(#output.colors, 8)
  kit.equal(output.colors[3][1], 230)
  local made = kit.newest()
  kit.equal(made.mode, ColorMode.INDEXED)
  kit.equal(made.width, 8)
  kit.equal(made.transparent, 5)
  kit.equal(#made.palettes[1].colors, 8)
  kit.equal(made.filename, "painted-palette.aseprite")
  kit.equal(kit.fingerprint(picture) .. kit.fingerprint(original), before)
end

function tests.bring_back_lists_equal_names_apart()
  kit.load()
  kit.good_engine()
  kit.sprite { mode = ColorMode.INDEXED }
  kit.sprite { mode = ColorMode.INDEXED }
  kit.sprite()
  kit.run "SpritefaceRestore"
  local options = ui.widget(kit.dialog(), "palette").options
  kit.equal(#options, 3)
  assert(options[1] ~= options[2] and options[2] ~= options[3])
end

function tests.bring_back_of_an_indexed_picture()
  kit.load()
  local engine = kit.good_engine()
  kit.sprite { mode = ColorMode.INDEXED, transparent = 0 }
  kit.run "SpritefaceRestore"
  kit.press "go"
  kit.equal(engine.images[1][1].entry.format, "rgba8")
  kit.equal(engine.images[1][1].data:sub(1, 4), "\0\0\0\0")
end

function tests.no_require_after_loading()
  -- every module must be loaded by init(): later `require` finds nothing
  kit.load()
  kit.good_engine { faces = {} }
  kit.sprite()
  for id in pairs(host.commands) do
    kit.run(id)
    for _ = 1, #ui.dialogs do ui.close(kit.dialog()) end
  end
end

function tests.leaves_no_global()
  kit.load()
  for name in pairs(host.env) do
    assert(name ~= "panel" and name ~= "commands", name)
  end
  host.unload()
end

-- the headless side of the commands -----------------------------------------------------------------

function tests.batch_mode_has_no_dialogs()
  ui.available = false
  kit.console_allowed = true
  kit.load()
  kit.sprite()
  kit.run("SpritefaceRestore", true)
  kit.contains(host.core.console[1], "only portrait and faces have a batch mode")
  kit.equal(#ui.dialogs, 0)
end
