-- Between Aseprite's images and plain bytes: rows without padding, RGBA or palette indices.

local pixels = {}

-- Image.bytesPerPixel came only with API 26.
local BYTES = { [ColorMode.RGB] = 4, [ColorMode.GRAY] = 2, [ColorMode.INDEXED] = 1 }

-- An image's bytes, row after row, without the padding that some builds of Aseprite put after each.
function pixels.bytes(image)
  local row, stride, bytes = image.width * BYTES[image.colorMode], image.rowStride, image.bytes
  if stride == row then return bytes end
  local rows = {}
  for y = 0, image.height - 1 do rows[y + 1] = bytes:sub(y * stride + 1, y * stride + row) end
  return table.concat(rows)
end

-- An image of this specification from such bytes.
function pixels.image(spec, bytes)
  local image = Image(spec)
  local row, stride = spec.width * BYTES[spec.colorMode], image.rowStride
  if stride ~= row then
    local rows, padding = {}, ("\0"):rep(stride - row)
    for y = 0, spec.height - 1 do rows[y + 1] = bytes:sub(y * row + 1, (y + 1) * row) .. padding end
    bytes = table.concat(rows)
  end
  image.bytes = bytes
  return image
end

function pixels.rgb_spec(width, height)
  local spec = ImageSpec { width = width, height = height, colorMode = ColorMode.RGB }
  spec.colorSpace = ColorSpace { sRGB = true }
  return spec
end

-- Of a picture as the wire has it (rgba8): an RGB image.
function pixels.rgb_image(picture)
  return pixels.image(pixels.rgb_spec(picture.width, picture.height), picture.data)
end

function pixels.index_image(width, height, data, transparent)
  local spec = ImageSpec { width = width, height = height, colorMode = ColorMode.INDEXED, transparentColor = transparent or 0 }
  return pixels.image(spec, data)
end

-- The palette in force at a frame.
function pixels.palette_at(sprite, frame_number)
  local found = sprite.palettes[1]
  for i = 1, #sprite.palettes do
    local palette = sprite.palettes[i]
    if palette.frameNumber <= frame_number then found = palette end
  end
  return found
end

-- A palette as a list of { r, g, b, a }.
function pixels.colors(palette)
  local colors = {}
  for i = 0, #palette - 1 do
    local color = palette:getColor(i)
    colors[i + 1] = { color.red, color.green, color.blue, color.alpha }
  end
  return colors
end

function pixels.palette(colors)
  local palette = Palette(#colors)
  for i, c in ipairs(colors) do palette:setColor(i - 1, Color { r = c[1], g = c[2], b = c[3], a = c[4] or 255 }) end
  return palette
end

-- gray + alpha to RGBA and back
function pixels.gray_to_rgba(data)
  return (data:gsub("(.)(.)", "%1%1%1%2"))
end

function pixels.rgba_to_gray(data)
  return (data:gsub("(.)(.)(.)(.)", function(r, g, b, a)
    local value = (r:byte() * 2126 + g:byte() * 7152 + b:byte() * 722 + 5000) // 10000
    return string.char(value) .. a
  end))
end

-- Palette indices to RGBA; `transparent` (or nil) is clear.
function pixels.indices_to_rgba(data, colors, transparent)
  local of = {}
  for i = 0, 255 do
    local c = colors[i + 1] or { 0, 0, 0, 255 }
    of[string.char(i)] = i == transparent and "\0\0\0\0" or string.char(c[1], c[2], c[3], c[4])
  end
  return (data:gsub(".", of))
end

local function nearest(colors, r, g, b, transparent)
  local best, distance = 0, math.huge
  for i, c in ipairs(colors) do
    if i - 1 ~= transparent and c[4] > 0 then
      local d = 2 * (c[1] - r) ^ 2 + 4 * (c[2] - g) ^ 2 + 3 * (c[3] - b) ^ 2
      if d < distance then best, distance = i - 1, d end
    end
  end
  return best
end

-- RGBA to the nearest colours of a palette, which is never extended. What is clear, or less than
-- half there, becomes `transparent`; nothing else does.
function pixels.rgba_to_indices(data, colors, transparent)
  local known = {}
  return (data:gsub("....", function(pixel)
    local index = known[pixel]
    if not index then
      local r, g, b, a = pixel:byte(1, 4)
      index = string.char(a < 128 and transparent or nearest(colors, r, g, b, transparent))
      known[pixel] = index
    end
    return index
  end))
end

-- Indices into one palette as indices into another: the same number where the colour is the same.
function pixels.remap(data, from, from_transparent, to, to_transparent)
  local of = {}
  for i, c in ipairs(from) do
    local index, other = i - 1, to[i]
    if index == from_transparent then
      index = to_transparent
    elseif not other or index == to_transparent or other[1] ~= c[1] or other[2] ~= c[2] or other[3] ~= c[3] then
      index = nearest(to, c[1], c[2], c[3], to_transparent)
    end
    of[string.char(i - 1)] = string.char(index)
  end
  return (data:gsub(".", of))
end

-- A picture of the wire as RGBA bytes, whatever its format.
function pixels.rgba_of(picture)
  if picture.format == "index8" then
    return pixels.indices_to_rgba(picture.data, picture.palette, picture.transparent)
  end
  return picture.data
end

-- Makes clear in `data` (RGBA) what is clear in `alpha_of` (RGBA of the same size).
function pixels.keep_alpha(data, alpha_of)
  if not pixels.has_clear(alpha_of) then return data end
  local parts, size = {}, #data // 4
  for i = 0, size - 1 do
    local at = i * 4
    parts[i + 1] = alpha_of:byte(at + 4) == 0 and "\0\0\0\0" or data:sub(at + 1, at + 4)
  end
  return table.concat(parts)
end

-- RGBA without its matte: the picture with its own background.
function pixels.opaque(data)
  return (data:gsub("(...).", "%1\255"))
end

-- Whether anything in RGBA bytes is wholly clear.
function pixels.has_clear(data)
  if not data:find("\0", 1, true) then return false end
  for at = 4, #data, 4 do
    if data:byte(at) == 0 then return true end
  end
  return false
end

-- The part of a picture inside a box; what lies outside is clear (or `fill`).
function pixels.crop(picture, box)
  local size = picture.format == "rgba8" and 4 or 1
  local blank = size == 4 and "\0\0\0\0" or string.char(picture.transparent or 0)
  local rows = {}
  for y = box.y, box.y + box.h - 1 do
    local left = math.max(0, math.min(box.w, -box.x))
    local x0, x1 = math.max(0, box.x), math.min(picture.width, box.x + box.w)
    if y < 0 or y >= picture.height or x1 <= x0 then
      rows[#rows + 1] = blank:rep(box.w)
    else
      local at = (y * picture.width + x0) * size
      local middle = picture.data:sub(at + 1, at + (x1 - x0) * size)
      rows[#rows + 1] = blank:rep(left) .. middle .. blank:rep(box.w - left - (x1 - x0))
    end
  end
  local out = {}
  for key, value in pairs(picture) do out[key] = value end
  out.width, out.height, out.data = box.w, box.h, table.concat(rows)
  return out
end

-- An RGB image made smaller or larger: halved while it can be (each a mean of 2x2), then bilinear.
function pixels.fitted(image, width, height)
  local copy = image:clone()
  while copy.width >= 2 * width and copy.height >= 2 * height and copy.width % 2 == 0 and copy.height % 2 == 0 do
    copy:resize { width = copy.width // 2, height = copy.height // 2, method = "bilinear" }
  end
  if copy.width ~= width or copy.height ~= height then
    copy:resize { width = width, height = height, method = "bilinear" }
  end
  return copy
end

return pixels
