-- Aseprite's `json`: all numbers come back as floats, arrays are no tables and `pairs` over them
-- yields nothing, {} is written as [], and a "\0" ends the text.

local core = require "core"
local json = {}
local null = {}

core.class("JsonObject", {
  get = setmetatable({}, { __index = function(_, key)
    return { 25, function(state)
      local value = state.values[key]
      if value == null then return nil end
      return value
    end }
  end }),
  len = function(state) return #state.order end,
  __pairs = function(object)
    local state, i = core.state(object), 0
    return function()
      i = i + 1
      local key = state.order[i]
      if key == nil then return nil end
      local value = state.values[key]
      if value == null then value = nil end
      return key, value
    end, object
  end,
})
core.class("JsonArray", {
  index = function(state, i)
    local value = state.items[math.floor(i)]
    if value == null then return nil end
    return value
  end,
  len = function(state) return #state.items end,
  __pairs = function() return function() return nil end end,
})

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function decode_at(text, at)
  at = text:match("^%s*()", at)
  local char = text:sub(at, at)
  if char == "{" then
    local state = { values = {}, order = {} }
    at = text:match("^{%s*()", at)
    if text:sub(at, at) == "}" then return core.new("JsonObject", state), at + 1 end
    while true do
      local key, value
      key, at = decode_at(text, at)
      at = text:match("^%s*:()", at) or error("expected ':' in object", 0)
      value, at = decode_at(text, at)
      if value == nil then value = null end
      if state.values[key] == nil then state.order[#state.order + 1] = key end
      state.values[key] = value
      local mark
      mark, at = text:match("^%s*([,}])%s*()", at)
      if mark == "}" then
        table.sort(state.order)
        return core.new("JsonObject", state), at
      elseif not mark then error("expected ',' in object", 0) end
    end
  elseif char == "[" then
    local state = { items = {} }
    at = text:match("^%[%s*()", at)
    if text:sub(at, at) == "]" then return core.new("JsonArray", state), at + 1 end
    while true do
      local value
      value, at = decode_at(text, at)
      if value == nil then value = null end
      state.items[#state.items + 1] = value
      local mark
      mark, at = text:match("^%s*([,%]])%s*()", at)
      if mark == "]" then return core.new("JsonArray", state), at
      elseif not mark then error("expected ',' in list", 0) end
    end
  elseif char == '"' then
    local out = {}
    at = at + 1
    while true do
      local plain, stop = text:match('^([^"\\]*)()', at)
      out[#out + 1] = plain
      local mark = text:sub(stop, stop)
      if mark == '"' then return (table.concat(out):match("^[^\0]*")), stop + 1 end
      if mark == "" then error("unexpected end of input in string", 0) end
      local escape = text:sub(stop + 1, stop + 1)
      if escape == "u" then
        local code = tonumber(text:sub(stop + 2, stop + 5), 16)
        at = stop + 6
        if code >= 0xD800 and code < 0xDC00 then
          code = 0x10000 + (code - 0xD800) * 0x400 + tonumber(text:sub(at + 2, at + 5), 16) - 0xDC00
          at = at + 6
        end
        out[#out + 1] = utf8.char(code)
      else
        out[#out + 1] = ESCAPES[escape] or error("invalid escape", 0)
        at = stop + 2
      end
    end
  end
  for word, value in pairs { ["true"] = true, ["false"] = false } do
    if text:sub(at, at + #word - 1) == word then return value, at + #word end
  end
  if text:sub(at, at + 3) == "null" then return nil, at + 4 end
  local digits, stop = text:match("^(%-?%d+%.?%d*[eE]?[+-]?%d*)()", at)
  if not digits then error("expected value, got '" .. char .. "'", 0) end
  return tonumber(digits) + 0.0, stop
end

function json.decode(text)
  if type(text) ~= "string" then return nil end
  local value, at = decode_at(text:match("^[^\0]*"), 1)
  if text:match("^[^\0]*"):match("^%s*()", at) <= #text:match("^[^\0]*") then
    error("unexpected trailing input", 2)
  end
  return value
end

local function quoted(text)
  text = text:match("^[^\0]*"):gsub('[%c"\\]', function(c)
    return ({ ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" })[c] or ("\\u%04x"):format(c:byte())
  end)
  return '"' .. text .. '"'
end

local function encode(value)
  local kind = type(value)
  if core.kind(value) == "JsonObject" then
    local parts, state = {}, core.state(value)
    for _, key in ipairs(state.order) do
      local item = state.values[key]
      parts[#parts + 1] = quoted(key) .. ": " .. (item == null and "null" or encode(item))
    end
    return "{" .. table.concat(parts, ", ") .. "}"
  elseif core.kind(value) == "JsonArray" then
    local parts = {}
    for _, item in ipairs(core.state(value).items) do parts[#parts + 1] = item == null and "null" or encode(item) end
    return "[" .. table.concat(parts, ", ") .. "]"
  elseif core.kind(value) then
    core.violation("json.encode of a " .. core.kind(value) .. " writes null", 3)
  elseif kind == "table" then
    local count, list = 0, true
    for key in next, value do -- an array only if next() meets 1, 2, 3, ... in this order
      count = count + 1
      if key ~= count then list = false break end
    end
    local parts = {}
    if list then
      for _, item in next, value do parts[#parts + 1] = encode(item) end
      return "[" .. table.concat(parts, ", ") .. "]"
    end
    for key, item in next, value do
      if type(key) ~= "string" then core.violation("json.encode: a table with both kinds of keys", 3) end
      parts[#parts + 1] = quoted(key) .. ": " .. encode(item)
    end
    table.sort(parts)
    return "{" .. table.concat(parts, ", ") .. "}"
  elseif kind == "number" then
    if value ~= value or value == math.huge or value == -math.huge then return "null" end
    return (("%.17g"):format(value))
  elseif kind == "string" then
    return quoted(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind == "nil" then
    return "null"
  end
  core.violation("json.encode of a " .. kind .. " writes null", 3)
end

function json.encode(value)
  if type(value) ~= "table" then return nil end
  return encode(value)
end

return json
