-- The frame that Aseprite and the engine exchange, as docs/engine.md has it:
--   u32 little-endian header length | JSON object | the images' raw bytes, one after another
-- An image is { name, width, height, format = "rgba8" | "index8" | "gray8", data, palette, transparent },
-- `palette` a list of { r, g, b, a }.

local wire = { PROTOCOL = 1 }

local BYTES = { rgba8 = 4, index8 = 1, gray8 = 1 }
local HEADER_MAX = 1048576

local function size_of(width, height, format)
  local bytes = BYTES[format] or error("unknown image format " .. tostring(format), 0)
  return width * height * bytes
end

-- JSON numbers come back as floats; 16.0 px is 16.
local function whole(value, what)
  local number = type(value) == "number" and math.tointeger(value)
  if not number or number < 0 then error(what .. " is " .. tostring(value) .. ", not a whole number", 0) end
  return number
end
wire.whole = whole

function wire.encode(header, images)
  local parts, entries = {}, {}
  for i, image in ipairs(images or {}) do
    local format = image.format or "rgba8"
    if #image.data ~= size_of(image.width, image.height, format) then
      error(("image %s: %d bytes do not fit %dx%d %s"):format(image.name or i, #image.data, image.width, image.height, format), 0)
    end
    entries[i] = {
      name = image.name or "image", width = image.width, height = image.height, format = format,
      palette = image.palette, transparent = image.transparent,
    }
    parts[i] = image.data
  end
  local whole_header = {}
  for key, value in pairs(header) do whole_header[key] = value end
  if #entries > 0 then whole_header.images = entries end
  local text = json.encode(whole_header)
  return string.pack("<I4", #text) .. text .. table.concat(parts)
end

local function palette_of(list)
  if list == nil then return nil end
  local colors = {}
  for i, color in ipairs(list) do
    colors[i] = {
      whole(color[1], "red"), whole(color[2], "green"), whole(color[3], "blue"), whole(color[4] or 255, "alpha"),
    }
  end
  return colors
end

-- Returns the header (a JSON object) and the images by name; raises a message for bytes that are no frame.
function wire.decode(frame)
  if #frame < 4 then error("a frame of " .. #frame .. " bytes", 0) end
  local length, at = string.unpack("<I4", frame)
  if length > HEADER_MAX or at + length - 1 > #frame then error("a header of " .. length .. " bytes is not there", 0) end
  local text = frame:sub(at, at + length - 1)
  if not text:match("^%s*{") then error("a header that is no object", 0) end
  local header = json.decode(text)
  at = at + length
  local images = {}
  for _, entry in ipairs(header.images or {}) do
    local width, height = whole(entry.width, "width"), whole(entry.height, "height")
    local format = entry.format or "rgba8"
    local size = size_of(width, height, format)
    if at + size - 1 > #frame then error("the frame ends inside image " .. tostring(entry.name), 0) end
    images[entry.name] = {
      name = entry.name, width = width, height = height, format = format, data = frame:sub(at, at + size - 1),
      palette = palette_of(entry.palette), transparent = entry.transparent and whole(entry.transparent, "transparent"),
    }
    at = at + size
  end
  if at ~= #frame + 1 then error(#frame + 1 - at .. " bytes too many", 0) end
  return header, images
end

return wire
