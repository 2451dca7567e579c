-- The headless path: headless.lua in batch mode, with the real `spriteface` command and real files.
-- Run by tests/test_aseprite_headless.py; options named p_NAME are the script's parameters.

local ColorMode = host.values.ColorMode

local function text_of(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

-- PNG files come in through Pillow.
host.files.decode_png = function(path)
  local pipe = io.popen(("'%s' '%s' '%s'"):format(kit.options.python, kit.options.decoder, path), "r")
  local data = pipe:read("a")
  return pipe:close() and data or nil
end

-- The samples' picture in a larger sprite of two or more frames, as `aseprite -b FILE` opens it.
local function open()
  local data = text_of(kit.options.picture)
  local w, h, at = string.unpack("<I4I4", data)
  local mode = tonumber(kit.options.mode or "0")
  local frames = tonumber(kit.options.frames or "1")
  local doc = kit.sprite { width = w + 4, height = h + 6, frames = frames, mode = ColorMode.RGB, face = { x = 0, y = 0, w = 1, h = 1 },
    filename = kit.options.file }
  for number = 1, frames do
    local list = {}
    for i = 1, doc.width * doc.height do list[i] = 0 end
    for y = 0, h - 1 do
      for x = 0, w - 1 do
        list[(y + 3) * doc.width + x + 2 + 1] = string.unpack("<I4", data, at + (y * w + x) * 4)
      end
    end
    if number == 2 then list[1] = 0xff0000ff end
    document.set_pixels(doc.layers[1].cels[number].data.image, list)
  end
  if mode == ColorMode.INDEXED then
    local colors, seen = {}, {}
    for _, value in ipairs(document.pixels_of(doc.layers[1].cels[1].data.image)) do
      if value >> 24 > 127 and not seen[value] then
        seen[value] = true
        colors[#colors + 1] = { value & 255, value >> 8 & 255, value >> 16 & 255, 255 }
      end
    end
    table.insert(colors, 4, { 255, 0, 255, 255 })
    doc.palettes[1].colors, doc.transparent = colors, 3
    document.change_pixel_format(doc, "indexed")
  end
  kit.slice(doc, "face-1", 2, 3, w, h)
  kit.tag(doc, "walk", 1, frames)
  doc.undo = {}
  return doc
end

local function parameters()
  local params = {}
  for name, value in pairs(kit.options) do
    if name:sub(1, 2) == "p_" then params[name:sub(3)] = value end
  end
  return params
end

function tests.headless()
  ui.available = false
  kit.console_allowed = true -- where `print` goes
  local doc = kit.options.file and open()
  local before = doc and kit.fingerprint(doc)
  local folder = kit.folder(kit.options.launch and { ["engine.lua"] = text_of(kit.options.launch) })
  local ok, problem = host.run_script(folder .. "/headless.lua", parameters())
  if not ok then
    io.stdout:write("error: ", tostring(problem), "\n")
  else
    io.stdout:write("saved: ", host.core.console[#host.core.console], "\n")
  end
  if doc and kit.options.p_as ~= "layer" and kit.options.p_what ~= "faces" then kit.equal(kit.fingerprint(doc), before, "the original") end
  kit.equal(#ui.questions, 0)
end

-- What the stand-in writes, for the project's own reader to judge.
function tests.save()
  local doc = open()
  doc.layers[1].cels[2].data = doc.layers[1].cels[1].data
  doc.frames[2].duration = 290
  document.sprite_object(doc):saveCopyAs(kit.options.save)
end
