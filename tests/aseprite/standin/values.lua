-- Point, Size, Rectangle, Color, ColorSpace, ImageSpec and the constants.

local core = require "core"
local new, integer = core.new, core.integer
local values = {}

local function pair(kind, a, b, first, second)
  if core.kind(a) == kind then
    local s = core.state(a)
    return s[first], s[second]
  elseif core.kind(a) then
    core.violation(kind .. " from a " .. core.kind(a), 3)
  elseif type(a) == "table" then
    return integer(a[first] or a[1] or 0, kind), integer(a[second] or a[2] or 0, kind)
  elseif a == nil then
    return 0, 0
  end
  return integer(a, kind), integer(b or 0, kind)
end

core.class("Point", {
  get = { x = { 1, function(s) return s.x end }, y = { 1, function(s) return s.y end } },
  set = { x = { 1, function(s, v) s.x = integer(v) end }, y = { 1, function(s, v) s.y = integer(v) end } },
  eq = function(a, b) return a.x == b.x and a.y == b.y end,
})
function values.Point(a, b)
  local x, y = pair("Point", a, b, "x", "y")
  return new("Point", { x = x, y = y })
end

core.class("Size", {
  get = {
    width = { 1, function(s) return s.width end }, height = { 1, function(s) return s.height end },
    w = { 23, function(s) return s.width end }, h = { 23, function(s) return s.height end },
  },
  eq = function(a, b) return a.width == b.width and a.height == b.height end,
})
function values.Size(a, b)
  local w, h = pair("Size", a, b, "width", "height")
  return new("Size", { width = w, height = h })
end

local function rect(s) return new("Rectangle", { x = s.x, y = s.y, w = s.w, h = s.h }) end
values.rect = rect

local function empty(s) return s.w < 1 or s.h < 1 end
local function meet(a, b)
  local x, y = math.max(a.x, b.x), math.max(a.y, b.y)
  local w, h = math.min(a.x + a.w, b.x + b.w) - x, math.min(a.y + a.h, b.y + b.h) - y
  if w < 1 or h < 1 then return { x = 0, y = 0, w = 0, h = 0 } end
  return { x = x, y = y, w = w, h = h }
end
local function span(a, b)
  if empty(a) then return b elseif empty(b) then return a end
  local x, y = math.min(a.x, b.x), math.min(a.y, b.y)
  return { x = x, y = y, w = math.max(a.x + a.w, b.x + b.w) - x, h = math.max(a.y + a.h, b.y + b.h) - y }
end

function values.rectangle_arguments(a, b, c, d)
  if core.kind(a) == "Rectangle" then
    local s = core.state(a)
    return { x = s.x, y = s.y, w = s.w, h = s.h }
  elseif core.kind(a) then
    core.violation("Rectangle from a " .. core.kind(a), 2)
  elseif type(a) == "table" then
    return {
      x = integer(a.x or a[1] or 0, "Rectangle"), y = integer(a.y or a[2] or 0, "Rectangle"),
      w = integer(a.width or a.w or a[3] or 0, "Rectangle"), h = integer(a.height or a.h or a[4] or 0, "Rectangle"),
    }
  elseif a == nil then
    return { x = 0, y = 0, w = 0, h = 0 }
  end
  return { x = integer(a), y = integer(b), w = integer(c), h = integer(d) }
end

local function setter(key) return function(s, v) s[key] = integer(v, "Rectangle." .. key) end end
core.class("Rectangle", {
  get = {
    x = { 1, function(s) return s.x end }, y = { 1, function(s) return s.y end },
    width = { 1, function(s) return s.w end }, height = { 1, function(s) return s.h end },
    w = { 23, function(s) return s.w end }, h = { 23, function(s) return s.h end },
    isEmpty = { 1, empty },
    origin = { 21, function(s) return values.Point(s.x, s.y) end },
    size = { 21, function(s) return values.Size(s.w, s.h) end },
  },
  set = {
    x = { 1, setter "x" }, y = { 1, setter "y" }, width = { 1, setter "w" }, height = { 1, setter "h" },
    w = { 23, setter "w" }, h = { 23, setter "h" },
  },
  call = {
    contains = { 1, function(self, other)
      local a, b = core.check(self, "Rectangle"), values.rectangle_arguments(other)
      return b.x >= a.x and b.y >= a.y and b.x + b.w <= a.x + a.w and b.y + b.h <= a.y + a.h
    end },
    intersects = { 1, function(self, other)
      return not empty(meet(core.check(self, "Rectangle"), values.rectangle_arguments(other)))
    end },
    intersect = { 1, function(self, other)
      return rect(meet(core.check(self, "Rectangle"), values.rectangle_arguments(other)))
    end },
    union = { 1, function(self, other)
      return rect(span(core.check(self, "Rectangle"), values.rectangle_arguments(other)))
    end },
  },
  eq = function(a, b) return a.x == b.x and a.y == b.y and a.w == b.w and a.h == b.h end,
})
function values.Rectangle(...) return rect(values.rectangle_arguments(...)) end

local function channel(key)
  return { 1, function(s) return s[key] end }
end
core.class("Color", {
  get = {
    red = channel "r", green = channel "g", blue = channel "b", alpha = channel "a",
    index = { 1, function(s) return s.index or 0 end },
    rgbaPixel = { 1, function(s) return s.r | s.g << 8 | s.b << 16 | s.a << 24 end },
  },
  eq = function(a, b) return a.r == b.r and a.g == b.g and a.b == b.b and a.a == b.a end,
})
function values.Color(o)
  if core.kind(o) == "Color" then o = core.state(o) end
  if type(o) ~= "table" then core.violation("Color of a number depends on the active sprite", 2) end
  core.options(o, {
    r = 1, g = 1, b = 1, a = 1, red = 1, green = 1, blue = 1, alpha = 1, gray = 1, index = 17,
  }, "Color")
  local gray = o.gray
  return new("Color", {
    r = integer(gray or o.r or o.red or 0), g = integer(gray or o.g or o.green or 0),
    b = integer(gray or o.b or o.blue or 0), a = integer(o.a or o.alpha or 255), index = o.index,
  })
end

core.class("ColorSpace", { get = { name = { 3, function(s) return s.name end } }, eq = function(a, b) return a.name == b.name end })
function values.ColorSpace(o)
  if o then core.options(o, { sRGB = 12 }, "ColorSpace") end
  return new("ColorSpace", { name = o and o.sRGB and "sRGB" or "" })
end

local function plain(key) return { 1, function(s) return s[key] end } end
local function plain_set(key) return { 1, function(s, v) s[key] = core.kind(v) and v or integer(v) end } end
core.class("ImageSpec", {
  get = {
    width = plain "width", height = plain "height", colorMode = plain "colorMode",
    transparentColor = plain "transparentColor", colorSpace = plain "colorSpace",
  },
  set = {
    width = plain_set "width", height = plain_set "height", colorMode = plain_set "colorMode",
    transparentColor = plain_set "transparentColor", colorSpace = plain_set "colorSpace",
  },
})
function values.ImageSpec(o)
  if core.kind(o) == "ImageSpec" then o = core.state(o) end
  o = o or {}
  core.options(o, { width = 1, height = 1, colorMode = 1, transparentColor = 1, colorSpace = 3 }, "ImageSpec")
  return new("ImageSpec", {
    width = integer(o.width or 1), height = integer(o.height or 1), colorMode = integer(o.colorMode or 0),
    transparentColor = integer(o.transparentColor or 0), colorSpace = o.colorSpace or values.ColorSpace { sRGB = true },
  })
end

-- An enumeration whose unknown names raise.
local function constants(name, entries)
  return setmetatable({}, {
    __index = function(_, key)
      local value = entries[key]
      if value == nil then core.violation(("%s.%s is not documented"):format(name, tostring(key)), 2) end
      return value
    end,
    __newindex = function() core.violation(name .. " is constant", 2) end,
  })
end
values.ColorMode = constants("ColorMode", { RGB = 0, GRAY = 1, GRAYSCALE = 1, INDEXED = 2, TILEMAP = 4 })
values.BlendMode = constants("BlendMode", { NORMAL = 0, SRC = 2, MULTIPLY = 3 })
values.RangeType = constants("RangeType", { EMPTY = 0, LAYERS = 1, FRAMES = 2, CELS = 4 })
values.MouseButton = constants("MouseButton", { LEFT = 1, RIGHT = 2, MIDDLE = 3 })
values.WebSocketMessageType = constants("WebSocketMessageType", {
  TEXT = 0, OPEN = 1, CLOSE = 2, ERROR = 3, PING = 4, PONG = 5, FRAGMENT = 6, BINARY = 16,
})
return values
