-- How the stand-in makes objects that behave like Aseprite's userdata, and how it is strict.
--
-- An object is an empty table whose state lies elsewhere, so that a script can neither look into
-- it nor write past its setters. A name that the API's documentation lacks, a name newer than the
-- API version being played, and a use known to do harm are "violations": they raise, and they are
-- remembered, so that a pcall in the extension cannot hide them from a test.

local core = { version = 25, violations = {}, console = {} }

local states = setmetatable({}, { __mode = "k" })
local kinds = setmetatable({}, { __mode = "k" })

function core.violation(text, level)
  core.violations[#core.violations + 1] = text
  error("violation: " .. text, (level or 1) + 1)
end

function core.print(text)
  core.console[#core.console + 1] = text
end

function core.state(object)
  return object ~= nil and states[object] or nil
end

function core.kind(object)
  return object ~= nil and kinds[object] or nil
end

-- The state of an argument that must be of this class.
function core.check(object, kind, where)
  if kinds[object] ~= kind then
    error(("%s: %s expected, got %s"):format(where or "argument", kind, core.kind(object) or type(object)), 3)
  end
  return states[object]
end

-- Aseprite turns whatever stands for an integer into one by flooring, silently: 2.5 px is a bug.
function core.integer(value, where)
  local number = tonumber(value)
  if number == nil then
    core.violation(("%s: integer expected, got %s"):format(where or "argument", tostring(value)), 2)
  end
  if number ~= math.floor(number) then
    core.violation(("%s: %s would be cut to an integer"):format(where or "argument", tostring(value)), 2)
  end
  return math.floor(number)
end

-- Refuses options that the documentation lacks. `known` maps a name to the API version it came with.
function core.options(options, known, where)
  for key in pairs(options) do
    local since = known[key]
    if since == nil then
      core.violation(("%s: option %s is not documented"):format(where, tostring(key)), 2)
    elseif since > core.version then
      core.violation(("%s: option %s came with API %d"):format(where, key, since), 2)
    end
  end
end

local classes = {}

-- spec: get, set, call = { name = { since, function } }; index, len, eq, and operators as wanted.
function core.class(name, spec)
  local get, set, call = spec.get or {}, spec.set or {}, spec.call or {}
  local function usable(entry, key)
    if entry[1] > core.version then
      core.violation(("%s.%s came with API %d"):format(name, tostring(key), entry[1]), 3)
    end
    return entry[2]
  end
  local meta = { __name = name }
  function meta.__index(object, key)
    if spec.index and math.type(key) then return spec.index(states[object], key) end
    if call[key] then return usable(call[key], key) end
    if get[key] then return usable(get[key], key)(states[object], object) end
    core.violation(("%s.%s is not documented"):format(name, tostring(key)), 2)
  end
  function meta.__newindex(object, key, value)
    if not set[key] then
      core.violation(("%s.%s cannot be set"):format(name, tostring(key)), 2)
    end
    usable(set[key], key)(states[object], value)
  end
  if spec.len then function meta.__len(object) return spec.len(states[object]) end end
  if spec.eq then
    function meta.__eq(a, b)
      return kinds[a] == name and kinds[b] == name and spec.eq(states[a], states[b])
    end
  end
  for _, operator in ipairs { "__tostring", "__gc", "__band", "__bor", "__add", "__sub", "__pairs" } do
    meta[operator] = spec[operator]
  end
  classes[name] = meta
end

function core.new(name, state)
  local object = {}
  states[object], kinds[object] = state, name
  return setmetatable(object, classes[name])
end

-- What `type` says of these objects inside Aseprite.
function core.type(value)
  return states[value] ~= nil and "userdata" or type(value)
end

return core
