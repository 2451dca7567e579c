-- The extension against the real engine, over a real socket. Run by tests/test_aseprite_engine.py,
-- which writes the connection file and pictures.

local bridge = require "bridge"
local ColorMode = host.values.ColorMode

local function text_of(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function load(preferences)
  bridge.connect()
  kit.load { connection = text_of(kit.options.connection), preferences = preferences }
end

-- A sprite of the samples: width, height, then RGBA.
local function sample(mode)
  local data = text_of(kit.options.picture)
  local w, h, at = string.unpack("<I4I4", data)
  local doc = kit.sprite { width = w, height = h, mode = ColorMode.RGB, face = { x = 0, y = 0, w = 1, h = 1 } }
  local list = {}
  for i = 0, w * h - 1 do list[i + 1] = string.unpack("<I4", data, at + i * 4) end
  document.set_pixels(doc.layers[1].cels[1].data.image, list)
  if mode == ColorMode.INDEXED then
    local colors, seen = { { 255, 0, 255, 255 } }, {}
    for _, value in ipairs(list) do
      if value >> 24 > 127 and not seen[value] then
        seen[value] = true
        colors[#colors + 1] = { value & 255, value >> 8 & 255, value >> 16 & 255, 255 }
      end
    end
    doc.palettes[1].colors = colors
    document.change_pixel_format(doc, "indexed")
    doc.undo = {}
  end
  return doc
end

local function waits_for_status(part, seconds)
  bridge.wait(function() return kit.status():find(part, 1, true) end, part, seconds)
end

function tests.greeting_and_engine_dialog()
  load()
  kit.run "SpritefaceEngine"
  waits_for_status "The engine is ready."
  kit.equal(kit.text "version", kit.options.version)
  kit.equal(kit.text "port", kit.options.port)
end

function tests.find_faces()
  load()
  local doc = sample(tonumber(kit.options.mode))
  kit.run "SpritefaceFindFaces"
  bridge.wait(function() return #ui.dialogs == 0 end, "faces", 30)
  assert(#doc.slices >= 1, "no slice was made")
  kit.equal(doc.slices[1].name, "face-1")
  kit.equal(#doc.undo, 1)
  io.stdout:write(("slice %d,%d,%d,%d\n"):format(doc.slices[1].bounds.x, doc.slices[1].bounds.y, doc.slices[1].bounds.w, doc.slices[1].bounds.h))
end

function tests.bring_back_in_palette()
  load()
  local palette = kit.sprite { mode = ColorMode.INDEXED, transparent = 5 }
  local doc = sample()
  document.layer = nil
  local before = kit.fingerprint(palette) .. kit.fingerprint(doc)
  kit.run "SpritefaceRestore"
  waits_for_status "The engine is ready."
  assert(#ui.widget(kit.dialog(), "dither").options > 1)
  kit.press "go"
  waits_for_status "Inserted as a new sprite"
  local made = kit.newest()
  kit.equal(made.mode, ColorMode.INDEXED)
  kit.equal(made.transparent, 5)
  kit.equal(made.width, doc.width)
  kit.equal(#made.palettes[1].colors, 8)
  kit.equal(kit.fingerprint(palette) .. kit.fingerprint(doc), before)
  -- clear where the picture was clear, and nowhere else
  local old = document.pixels_of(doc.layers[1].cels[1].data.image)
  for i, index in ipairs(document.pixels_of(made.layers[1].cels[1].data.image)) do
    kit.equal(index == 5, old[i] >> 24 == 0, "pixel " .. i)
  end
end

function tests.errors_have_words()
  load()
  sample()
  kit.run "SpritefaceRestore"
  waits_for_status "The engine is ready."
  ui.widget(kit.dialog(), "dither").options[1] = "nonsense"
  ui.set(kit.dialog(), "dither", "nonsense")
  kit.press "go"
  bridge.wait(function() return not kit.status():find "Asking" and not kit.status():find "%.%.%.$" end, "an answer")
  kit.contains(kit.status(), "dither")
end

function tests.wrong_token()
  bridge.connect()
  kit.load { connection = text_of(kit.options.connection):gsub('token = "', 'token = "x') }
  kit.sprite()
  kit.run "SpritefacePortrait"
  kit.press "make"
  waits_for_status "The spriteface engine is not running."
  kit.equal(kit.text "help", "Start engine")
end

function tests.nobody_listens()
  bridge.connect()
  kit.load { connection = 'return { host = "127.0.0.1", port = ' .. kit.options.closed .. ', token = "x" }' }
  kit.sprite()
  kit.run "SpritefacePortrait"
  kit.press "make"
  waits_for_status "The spriteface engine is not running."
end

-- A portrait from the real generator, cancelled or finished.
function tests.portrait_finished()
  load { steps = 1 } -- a poor likeness, but the whole way
  local doc = sample(ColorMode.INDEXED)
  local before = kit.fingerprint(doc)
  kit.run "SpritefacePortrait"
  ui.set(kit.dialog(), "size", "256")
  kit.press "make"
  waits_for_status("Ready", 500)
  for _, result in ipairs { "New sprite", "New layer of this sprite", "Enlarged copy of this sprite", "In the palette, x4" } do
    ui.set(kit.dialog(), "result", result)
    kit.press "insert"
    waits_for_status "Inserted"
    bridge.wait(function() return ui.widget(kit.dialog(), "insert").enabled end, "the end")
    local made = kit.newest()
    if result == "New sprite" then
      kit.equal(made.width, 256)
      local pixels = document.pixels_of(made.layers[1].cels[1].data.image)
      local low, high = 255, 0
      for _, value in ipairs(pixels) do low, high = math.min(low, value & 255), math.max(high, value & 255) end
      assert(high - low > 60, "the portrait is flat")
      local file = kit.options.save
      if file then host.files.png(file, made.layers[1].cels[1].data.image) end
    end
    document.active = doc
  end
  document.step_back(doc)
  kit.equal(kit.fingerprint(doc), before)
end

function tests.portrait_cancelled()
  load()
  sample()
  kit.run "SpritefacePortrait"
  ui.set(kit.dialog(), "size", "1024")
  kit.press "make"
  bridge.wait(function() return kit.status():find "%d+%%" end, "progress", 300)
  local began = os.time()
  kit.press "cancel"
  waits_for_status("Cancelled.", 20)
  assert(os.time() - began <= 5, "cancelling took too long")
  kit.equal(ui.widget(kit.dialog(), "make").enabled, true)
end
