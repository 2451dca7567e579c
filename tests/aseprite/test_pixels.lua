-- The extension's own modules of bytes and colours, loaded alone.

local ColorMode = host.values.ColorMode

local function module(name)
  local probe = kit.folder { ["probe.lua"] = "local m = require '" .. name .. "' app.params.take(m)" }
  local found
  host.params = nil
  local ok, problem = host.run_script(probe .. "/probe.lua", { take = function(m) found = m end })
  assert(ok, problem)
  return found
end

function tests.wire_round_trip()
  local wire = module "wire"
  local pictures = {
    { name = "a", width = 2, height = 1, format = "rgba8", data = "\0\1\2\3\255\254\253\252" },
    { name = "b", width = 3, height = 1, format = "index8", data = "\0\1\0", palette = { { 1, 2, 3, 255 }, { 4, 5, 6, 0 } }, transparent = 1 },
    { name = "c", width = 1, height = 1, format = "gray8", data = "\7" },
  }
  local frame = wire.encode({ type = "x", text = "é\n\"" }, pictures)
  local header, images = wire.decode(frame)
  kit.equal(header.type, "x")
  kit.equal(header.text, "é\n\"")
  for _, picture in ipairs(pictures) do
    local got = images[picture.name]
    kit.equal(got.data, picture.data)
    kit.equal(math.type(got.width), "integer")
    kit.equal(got.format, picture.format)
  end
  kit.equal(images.b.palette[2][3], 6)
  kit.equal(math.type(images.b.palette[2][3]), "integer")
  kit.equal(images.b.transparent, 1)
  for cut = 0, #frame - 1 do assert(not pcall(wire.decode, frame:sub(1, cut)), "cut at " .. cut) end
  assert(not pcall(wire.decode, frame .. "x"))
  assert(not pcall(wire.encode, {}, { { width = 2, height = 2, format = "rgba8", data = "short" } }))
  local bare = wire.decode(wire.encode { type = "status" })
  kit.equal(bare.type, "status")
end

function tests.padding_goes_and_comes()
  local pixels = module "pixels"
  for _, align in ipairs { 1, 4, 16 } do
    document.row_align = align
    local data = "\1\2\3\4\5\6\7\0\1"
    local image = pixels.index_image(3, 3, data, 0)
    kit.equal(pixels.bytes(image), data)
    kit.equal(image:getPixel(2, 1), 6)
  end
end

function tests.gray_and_rgba()
  local pixels = module "pixels"
  kit.equal(pixels.gray_to_rgba("\5\255\n\0"), "\5\5\5\255\n\n\n\0")
  kit.equal(pixels.rgba_to_gray("\5\5\5\255\255\0\0\7"), "\5\255\54\7")
end

function tests.nearest_indices()
  local pixels = module "pixels"
  local colors = { { 255, 0, 255, 255 }, { 0, 0, 0, 255 }, { 255, 255, 255, 255 } }
  local data = "\0\0\0\255" .. "\250\250\250\255" .. "\255\0\255\255" .. "\9\9\9\127"
  -- the transparent index is never a colour, however near
  kit.equal(pixels.rgba_to_indices(data, colors, 0), "\1\2\2\0")
  kit.equal(pixels.indices_to_rgba("\0\1\2", colors, 0), "\0\0\0\0\0\0\0\255\255\255\255\255")
end

function tests.remap_keeps_equal_numbers()
  local pixels = module "pixels"
  local colors = { { 1, 1, 1, 255 }, { 2, 2, 2, 255 }, { 3, 3, 3, 255 } }
  kit.equal(pixels.remap("\0\1\2", colors, nil, colors, 9), "\0\1\2")
  kit.equal(pixels.remap("\0\1\2", colors, 0, colors, 0), "\0\1\2")
  local shuffled = { { 3, 3, 3, 255 }, { 1, 1, 1, 255 }, { 2, 2, 2, 255 } }
  kit.equal(pixels.remap("\0\1\2", colors, nil, shuffled, nil), "\1\2\0")
  -- clear in one is clear in the other, whatever the numbers
  kit.equal(pixels.remap("\0\1\2", colors, 2, colors, 1), "\0\0\1")
end

function tests.crop_over_the_edges()
  local pixels = module "pixels"
  local picture = { width = 2, height = 2, format = "rgba8", data = "aaaabbbbccccdddd" }
  local out = pixels.crop(picture, { x = -1, y = -1, w = 4, h = 4 })
  local clear = "\0\0\0\0"
  kit.equal(out.data, clear:rep(4) .. clear .. "aaaabbbb" .. clear .. clear .. "ccccdddd" .. clear .. clear:rep(4))
  kit.equal(pixels.crop(picture, { x = 1, y = 0, w = 1, h = 2 }).data, "bbbbdddd")
  kit.equal(pixels.crop(picture, { x = 5, y = 5, w = 1, h = 1 }).data, clear)
  local indexed = { width = 1, height = 1, format = "index8", data = "\7", transparent = 3 }
  kit.equal(pixels.crop(indexed, { x = 0, y = 0, w = 2, h = 1 }).data, "\7\3")
end

function tests.keep_alpha()
  local pixels = module "pixels"
  kit.equal(pixels.keep_alpha("aaaabbbb", "\1\1\1\255\1\1\1\0"), "aaaa\0\0\0\0")
end

function tests.palette_of_a_frame()
  local pixels = module "pixels"
  local doc = kit.sprite { mode = ColorMode.INDEXED, frames = 4 }
  doc.palettes[2] = { frame = 3, colors = { { 9, 9, 9, 255 } } }
  local sprite = document.sprite_object(doc)
  kit.equal(#pixels.palette_at(sprite, 2), 8)
  kit.equal(#pixels.palette_at(sprite, 3), 1)
  kit.equal(pixels.colors(pixels.palette_at(sprite, 4))[1][1], 9)
end

function tests.fitted_sizes()
  local pixels = module "pixels"
  local image = pixels.rgb_image(kit.picture("p", 64, 64))
  local small = pixels.fitted(image, 12, 12)
  kit.equal(small.width, 12)
  kit.equal(image.width, 64, "the image itself")
end

function tests.sentences_in_two_lines()
  local panel = module "panel"
  local a, b = panel.two_lines("short")
  kit.equal(a .. "|" .. b, "short|")
  a, b = panel.two_lines(("word "):rep(16))
  assert(#a <= 58 and #b <= 58 and b ~= "")
  a, b = panel.two_lines(("x"):rep(200))
  assert(#a <= 58 and #b <= 58)
end

function tests.command_lines()
  local privileged = module "privileged"
  kit.equal(privileged.command_line { "a b", "it's", "plain", 5, "--x=1,2" }, [['a b' 'it'\''s' plain 5 --x=1,2]])
  kit.equal(privileged.command_line { "$(touch x)", "a;b", "`x`" }, [['$(touch x)' 'a;b' '`x`']])
end
