-- What Aseprite writes and reads: .aseprite and .png out of Lua (stored, not compressed), .png in
-- through a helper program, since inflating is none of this stand-in's business.

local files = { decode_png = nil } -- decode_png(path) -> bytes as of tests/aseprite/png_to_raw.py, or nil

local crc_table = {}
for i = 0, 255 do
  local c = i
  for _ = 1, 8 do c = c & 1 == 1 and 0xEDB88320 ~ (c >> 1) or c >> 1 end
  crc_table[i] = c
end
local function crc32(data)
  local c = 0xFFFFFFFF
  for i = 1, #data do c = crc_table[(c ~ data:byte(i)) & 255] ~ (c >> 8) end
  return c ~ 0xFFFFFFFF
end
local function adler32(data)
  local a, b = 1, 0
  for i = 1, #data do
    a = (a + data:byte(i)) % 65521
    b = (b + a) % 65521
  end
  return b << 16 | a
end

-- A zlib stream of stored blocks.
local function stored(data)
  local parts = { "\x78\x01" }
  for at = 1, math.max(1, #data), 65535 do
    local block = data:sub(at, at + 65534)
    local last = at + 65535 > #data and 1 or 0
    parts[#parts + 1] = string.pack("<BI2I2", last, #block, ~#block & 0xFFFF) .. block
  end
  parts[#parts + 1] = string.pack(">I4", adler32(data))
  return table.concat(parts)
end

local function write(path, data)
  local file = assert(io.open(path, "wb"))
  file:write(data)
  file:close()
end

local BYTES = { [0] = 4, [1] = 2, [2] = 1 }

-- An image's rows without padding.
local function rows(image, prefix)
  local out, width = {}, image.w * BYTES[image.mode]
  for y = 0, image.h - 1 do
    out[#out + 1] = (prefix or "") .. image.bytes:sub(y * image.stride + 1, y * image.stride + width)
  end
  return table.concat(out)
end
files.rows = rows

function files.png(path, image, colors)
  local kind = ({ [0] = 6, [1] = 4, [2] = 3 })[image.mode]
  local function chunk(name, data) return string.pack(">I4", #data) .. name .. data .. string.pack(">I4", crc32(name .. data)) end
  local parts = { "\137PNG\r\n\26\n", chunk("IHDR", string.pack(">I4I4BBBBB", image.w, image.h, 8, kind, 0, 0, 0)) }
  if image.mode == 2 then
    local plte, trns = {}, {}
    for i, c in ipairs(colors) do
      plte[i] = string.char(c[1], c[2], c[3])
      trns[i] = string.char(i - 1 == image.mask and 0 or c[4])
    end
    parts[#parts + 1] = chunk("PLTE", table.concat(plte))
    parts[#parts + 1] = chunk("tRNS", table.concat(trns))
  end
  parts[#parts + 1] = chunk("IDAT", stored(rows(image, "\0")))
  parts[#parts + 1] = chunk("IEND", "")
  write(path, table.concat(parts))
  return true
end

local function text(s) return string.pack("<s2", s) end
local function chunk(kind, data) return string.pack("<I4I2", #data + 6, kind) .. data end

function files.aseprite(path, doc)
  local opaque = #doc.palettes[1].colors <= 256
  for _, c in ipairs(doc.palettes[1].colors) do opaque = opaque and c[4] == 255 end
  local frames, written = {}, {}
  for number, frame in ipairs(doc.frames) do
    local chunks = {}
    local function add(kind, data) chunks[#chunks + 1] = chunk(kind, data) end
    if number == 1 then
      local colors = doc.palettes[1].colors
      if opaque then -- as 1.3.5 and later: only the old chunk
        local entries = {}
        for i, c in ipairs(colors) do entries[i] = string.char(c[1], c[2], c[3]) end
        add(0x0004, string.pack("<I2BB", 1, 0, #colors % 256) .. table.concat(entries))
      else
        local entries = {}
        for i, c in ipairs(colors) do entries[i] = string.pack("<I2BBBB", 0, c[1], c[2], c[3], c[4]) end
        add(0x2019, string.pack("<I4I4I4", #colors, 0, #colors - 1) .. ("\0"):rep(8) .. table.concat(entries))
      end
      for _, layer in ipairs(doc.layers) do
        local flags = (layer.visible and 1 or 0) | (layer.editable and 2 or 0) | (layer.background and 8 or 0)
        add(0x2004, string.pack("<I2I2I2I2I2I2B", flags, 0, 0, 0, 0, 0, layer.opacity) .. "\0\0\0" .. text(layer.name))
      end
      if #doc.tags > 0 then
        local tags = {}
        for i, tag in ipairs(doc.tags) do
          tags[i] = string.pack("<I2I2BI2", tag.from - 1, tag.to - 1, tag.direction, 0) .. ("\0"):rep(6) .. "\0\0\0\0" .. text(tag.name)
        end
        add(0x2018, string.pack("<I2", #tags) .. ("\0"):rep(8) .. table.concat(tags))
      end
      for _, slice in ipairs(doc.slices) do
        local b = slice.bounds
        if b then
          add(0x2022, string.pack("<I4I4I4", 1, 0, 0) .. text(slice.name) .. string.pack("<I4i4i4I4I4", 0, b.x, b.y, b.w, b.h))
        end
      end
    end
    for index, layer in ipairs(doc.layers) do
      local cel = layer.cels[number]
      if cel then
        local data = cel.data
        local head = string.pack("<I2i2i2B", index - 1, data.x, data.y, data.opacity)
        if written[data] then
          add(0x2005, head .. string.pack("<I2i2", 1, cel.z) .. ("\0"):rep(5) .. string.pack("<I2", written[data] - 1))
        else
          written[data] = number
          add(0x2005, head .. string.pack("<I2i2", 2, cel.z) .. ("\0"):rep(5)
            .. string.pack("<I2I2", data.image.w, data.image.h) .. stored(rows(data.image)))
        end
      end
    end
    local body = table.concat(chunks)
    frames[number] = string.pack("<I4I2I2I2", #body + 16, 0xF1FA, math.min(#chunks, 0xFFFF), frame.duration) .. "\0\0"
      .. string.pack("<I4", #chunks) .. body
  end
  local body = table.concat(frames)
  local depth = ({ [0] = 32, [1] = 16, [2] = 8 })[doc.mode]
  local header = string.pack("<I4I2I2I2I2I2I4I2I4I4B", #body + 128, 0xA5E0, #doc.frames, doc.width, doc.height, depth, 1, 100, 0, 0,
    doc.mode == 2 and doc.transparent or 0) .. "\0\0\0" .. string.pack("<I2BB", #doc.palettes[1].colors % 256, 1, 1)
    .. string.pack("<i2i2I2I2", 0, 0, 16, 16)
  write(path, header .. ("\0"):rep(128 - #header) .. body)
end

return files
