-- The stand-in as a whole: `app`, the sandbox that an extension's files run in, and the loader.

local core = require "core"
local values = require "values"
local document = require "document"
local ui = require "ui"
local json = require "json"
local files = require "files"
local violation = core.violation

local host = {
  core = core, values = values, document = document, ui = ui, files = files, json = json,
  commands = {}, groups = { "sprite_size", "sprite_color", "sprite_properties", "cel_popup_properties", "slice_popup_properties",
    "frame_popup_properties", "layer_popup_properties", "palette_main", "file_scripts", "edit_fx" },
  refreshed = 0, websockets = true, shell = {},
}
local groups = {}
for _, id in ipairs(host.groups) do groups[id] = true end

document.ask = ui.ask
document.writers.image = function(path, model, colors) return files.png(path, model, colors) end
document.writers.sprite = function(path, doc)
  if path:match("%.aseprite$") then return files.aseprite(path, doc) end
  if #doc.frames > 1 then violation("saveAs of several frames to " .. path .. " writes one numbered file for each", 2) end
  return files.png(path, document.render(doc, 1), doc.palettes[1].colors)
end
-- A picture file: image, and for indexed ones colors and the transparent index.
local function read_picture(path)
  local data = files.decode_png(path)
  if not data then return nil end -- no error: a missing file is nil
  local width, height, mode, opaque, transparent, count, at = string.unpack("<I4I4BBi2I2", data)
  local read = { opaque = opaque == 1, transparent = transparent >= 0 and transparent or nil }
  if mode == 2 then
    read.colors = {}
    for i = 1, count do read.colors[i] = { data:byte(at + i * 4 - 4, at + i * 4 - 1) } end
    at = at + count * 4
  end
  local model = document.make_image(width, height, mode, read.transparent or 0)
  local stride, rows, row = model.stride, {}, width * (mode == 2 and 1 or 4)
  for y = 0, height - 1 do
    local bytes = data:sub(at + y * row, at + (y + 1) * row - 1)
    rows[#rows + 1] = bytes .. ("\0"):rep(stride - #bytes)
  end
  model.bytes = table.concat(rows)
  read.image = model
  return read
end
document.readers = {
  image = function(path)
    local read = read_picture(path)
    return read and read.image
  end,
  sprite = read_picture,
}

-- app ---------------------------------------------------------------------------------------------

local command_runners = {
  ChangePixelFormat = function(o)
    core.options(o, { ui = 1, format = 1, dithering = 1, ["dithering-matrix"] = 1, rgbmap = 1, toGray = 1, fitCriteria = 33 }, "ChangePixelFormat")
    document.change_pixel_format(document.active, o.format)
  end,
  SpriteSize = function(o)
    core.options(o, { ui = 1, width = 1, height = 1, scale = 1, scaleX = 1, scaleY = 1, lockRatio = 1, method = 1 }, "SpriteSize")
    if o.ui ~= false and ui.available then violation("SpriteSize without ui=false opens a dialog", 2) end
    document.sprite_size(document.active, core.integer(o.width), core.integer(o.height))
  end,
}
local command = setmetatable({}, {
  __index = function(_, name)
    if host.commands[name] then
      return function() return host.run(name) end
    end
    local run = command_runners[name] or violation("app.command." .. tostring(name) .. " is not played", 2)
    return function(options)
      if not document.active then violation("app.command." .. name .. " without an active sprite", 2) end
      if document.active.transaction and core.version < 28 then
        violation("app.command." .. name .. " inside a transaction: its thread cannot lock the sprite", 2)
      end
      run(options or {})
    end
  end,
})

local separator = "/"
local fs = setmetatable({
  pathSeparator = separator,
  tempPath = os.getenv("TMPDIR") or "/tmp",
  joinPath = function(...)
    local out = ""
    for _, part in ipairs { ... } do
      if out ~= "" and out:sub(-1) ~= separator then out = out .. separator end
      out = out .. part
    end
    return out
  end,
  fileName = function(path) return path:match("[^/\\]*$") end,
  filePath = function(path) return path:match("^(.*)[/\\][^/\\]*$") or "" end,
  fileTitle = function(path) return (path:match("[^/\\]*$"):gsub("%.[^.]*$", "")) end,
  fileExtension = function(path) return path:match("%.([^./\\]*)$") or "" end,
  filePathAndTitle = function(path) return (path:gsub("%.[^./\\]*$", "")) end,
  isFile = function(path)
    local file = io.open(path, "rb")
    if not file then return false end
    local ok = file:read(0) ~= nil or file:seek("end") == 0
    file:close()
    return ok
  end,
  isDirectory = function(path)
    local file = io.open(path, "rb")
    if not file then return false end
    local _, _, code = file:read(1)
    file:close()
    return code == 21
  end,
  makeDirectory = function(path) return os.execute("mkdir '" .. path .. "' 2>/dev/null") == true end,
  makeAllDirectories = function(path) return os.execute("mkdir -p '" .. path .. "'") == true end,
  removeDirectory = function(path) return os.execute("rmdir '" .. path .. "' 2>/dev/null") == true end,
  listFiles = function(path)
    local names = {}
    for name in io.popen("ls -A '" .. path .. "'"):lines() do names[#names + 1] = name end
    return names
  end,
  userConfigPath = "/nonexistent/aseprite", userDocsPath = "/nonexistent",
}, { __index = function(_, key) violation("app.fs." .. tostring(key) .. " is not documented", 2) end })

local getters = {
  apiVersion = { 1, function() return core.version end },
  version = { 1, function() violation("app.version is unreliable: gate on app.apiVersion", 3) end },
  isUIAvailable = { 1, function() return ui.available end },
  sprite = { 23, function() return document.sprite_object(document.active) end },
  layer = { 23, document.active_layer_object },
  cel = { 23, document.active_cel_object },
  frame = { 23, function()
    return document.active and document.sprite_object(document.active).frames[document.frame] or nil
  end },
  tag = { 23, function()
    for _, tag in ipairs(document.active and document.active.tags or {}) do
      if document.frame >= tag.from and document.frame <= tag.to then
        for _, object in ipairs(document.sprite_object(document.active).tags) do if object.name == tag.name then return object end end
      end
    end
  end },
  range = { 3, document.range_object },
  sprites = { 1, function()
    local items = {}
    for i, doc in ipairs(document.sprites) do items[i] = document.sprite_object(doc) end
    return core.new("Sprites", { items = items })
  end },
  fs = { 9, function() return fs end },
  command = { 1, function() return command end },
  params = { 2, function() return host.params or {} end },
  uiScale = { 22, function() return 1 end },
}
local setters = {
  sprite = function(v)
    document.active = v and document.sprite_model(v) or nil
    document.frame, document.layer, document.range = 1, nil, nil
  end,
  frame = function(v) document.frame = document.frame_number(v) end,
  layer = function(v) document.layer = core.check(v, "Layer").id end,
}
local app = setmetatable({}, {
  __index = function(_, key)
    if key == "transaction" then return document.transaction end
    if key == "alert" then return ui.alert end
    if key == "refresh" then return function() host.refreshed = host.refreshed + 1 end end
    local entry = getters[key] or violation("app." .. tostring(key) .. " is not documented, or not played", 2)
    if entry[1] > core.version then violation("app." .. key .. " came with API " .. entry[1], 2) end
    return entry[2]()
  end,
  __newindex = function(_, key, value)
    local set = setters[key] or violation("app." .. tostring(key) .. " cannot be set", 2)
    set(value)
  end,
})

-- the sandbox -------------------------------------------------------------------------------------

local function plain(what, object)
  if core.kind(object) then error(("bad argument #1 to '%s' (table expected, got userdata)"):format(what), 3) end
end

local ABSENT = { init = true, exit = true, _PLUGIN = true, _SCRIPT_PATH = true, WebSocket = true }

local function privileged(name, mode, run)
  return function(...)
    local subject = tostring((...))
    ui.ask(subject, name == "io.open" and (select(2, ...) or "r"):find("w") and "write" or mode)
    return run(...)
  end
end

local function sandbox()
  local env = {}
  for _, name in ipairs { "assert", "error", "getmetatable", "ipairs", "pcall", "xpcall", "select", "setmetatable", "tonumber",
    "tostring", "rawequal", "rawlen", "collectgarbage", "load", "string", "math", "utf8", "coroutine", "debug" } do
    env[name] = _G[name]
  end
  env.table = setmetatable({}, { __index = table })
  function env.pairs(object)
    if core.kind(object) and not getmetatable(object).__pairs then
      error(("bad argument #1 to 'for iterator' (table expected, got %s)"):format(core.kind(object)), 2)
    end
    return pairs(object)
  end
  function env.next(object, key)
    plain("next", object)
    return next(object, key)
  end
  function env.rawget(object, key)
    plain("rawget", object)
    return rawget(object, key)
  end
  function env.rawset(object, key, value)
    plain("rawset", object)
    return rawset(object, key, value)
  end
  env.type = core.type
  function env.print(...)
    local parts = {}
    for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
    core.print(table.concat(parts, "\t"))
  end
  env.os = setmetatable({
    time = os.time, clock = os.clock, date = os.date, getenv = function(name) return (host.getenv or os.getenv)(name) end,
    execute = privileged("os.execute", "execute", function(line)
      host.shell[#host.shell + 1] = line
      if host.execute then return host.execute(line) end
      return os.execute(line)
    end),
    remove = privileged("os.remove", "write", os.remove),
    rename = privileged("os.rename", "write", os.rename),
    tmpname = function() error("unsupported function 'tmpname'", 2) end,
    exit = function() error("unsupported function 'exit'", 2) end,
  }, { __index = function(_, key) violation("os." .. tostring(key), 2) end })
  env.io = setmetatable({
    open = privileged("io.open", "read", io.open),
    popen = privileged("io.popen", "execute", function(line, mode)
      host.shell[#host.shell + 1] = line
      if host.popen then return host.popen(line, mode) end
      return io.popen(line, mode)
    end),
    lines = privileged("io.lines", "read", io.lines),
  }, { __index = function(_, key) violation("io." .. tostring(key), 2) end })
  env.package = { loaded = {}, config = package.config }
  for _, name in ipairs { "Point", "Size", "Rectangle", "Color", "ColorSpace", "ImageSpec", "ColorMode", "BlendMode", "RangeType", "MouseButton" } do
    env[name] = values[name]
  end
  if host.websockets then
    env.WebSocket, env.WebSocketMessageType = ui.WebSocket, values.WebSocketMessageType
  end
  env.Image, env.Sprite, env.Palette = document.Image, document.Sprite, document.Palette
  env.Dialog, env.Timer, env.json, env.app = ui.Dialog, ui.Timer, json, app
  if core.version < 25 then env.json, env.Timer = nil, nil end
  function env.dofile(path)
    return assert(loadfile(path, "t", env))()
  end
  function env.loadfile(path, mode, own) return loadfile(path, mode or "bt", own or env) end
  env._G = env
  return setmetatable(env, {
    __index = function(_, key)
      if ABSENT[key] or core.version < 25 then return nil end
      violation("global " .. tostring(key) .. " is not documented", 2)
    end,
    __newindex = function(_, key, value)
      if key ~= "init" and key ~= "exit" then violation("global " .. tostring(key) .. " is written", 2) end
      rawset(env, key, value)
    end,
  })
end

-- `require` finds siblings only while the extension's file or init() runs, or while a script runs.
local function requirer(env, folder, prefix)
  return function(name)
    local key = prefix .. name
    if env.package.loaded[key] == nil then
      local chunk = loadfile(folder .. "/" .. name .. ".lua", "t", env)
      if not chunk then
        local problem = select(2, loadfile(folder .. "/" .. name .. ".lua", "t", env))
        error(("module '%s' not found or broken: %s"):format(name, problem), 2)
      end
      local value = chunk(name)
      env.package.loaded[key] = value == nil and true or value
    end
    return env.package.loaded[key]
  end
end
local function no_require(name) error(("module '%s' not found: require works only while a script is being loaded"):format(name), 2) end

core.class("Plugin", {
  get = {
    name = { 23, function(s) return s.name end }, path = { 23, function(s) return s.path end },
    preferences = { 1, function(s) return s.preferences end }, version = { 32, function(s) return s.version end },
    displayName = { 32, function(s) return s.display end },
  },
  set = { preferences = { 1, function(s, v) s.preferences = v end } },
  call = {
    newCommand = { 1, function(self, o)
      core.check(self, "Plugin")
      core.options(o, { id = 1, title = 1, group = 1, onclick = 1, onenabled = 15, onchecked = 35 }, "newCommand")
      if (o.id or "") == "" then error("Empty id field in plugin:newCommand{ id=... }", 2) end
      if o.group and not groups[o.group] then violation("menu group " .. o.group .. " does not exist", 2) end
      if type(o.onclick) ~= "function" then violation("newCommand without onclick adds nothing", 2) end
      host.commands[o.id] = o
    end },
    newMenuGroup = { 22, function(self, o)
      core.check(self, "Plugin")
      core.options(o, { id = 22, title = 22, group = 22 }, "newMenuGroup")
      if not groups[o.group] then violation("menu group " .. tostring(o.group) .. " does not exist", 2) end
      groups[o.id] = true
      host.menu_groups = host.menu_groups or {}
      host.menu_groups[o.id] = o
    end },
    newMenuSeparator = { 22, function(self, o)
      core.check(self, "Plugin")
      core.options(o, { group = 22 }, "newMenuSeparator")
    end },
    deleteCommand = { 1, function(_, id) host.commands[type(id) == "table" and id.id or id] = nil end },
  },
})

-- Loads an extension's folder as Aseprite does at its start. Errors in init() are swallowed there:
-- they go to host.swallowed.
function host.load_extension(path, main, preferences)
  local env = sandbox()
  local plugin = core.new("Plugin", { name = "spriteface", display = "Spriteface", version = "0", path = path, preferences = preferences or {} })
  rawset(env, "_PLUGIN", plugin)
  rawset(env, "require", requirer(env, path, "spriteface/"))
  local chunk = assert(loadfile(path .. "/" .. main, "t", env))
  chunk()
  if rawget(env, "init") then
    local ok, problem = pcall(rawget(env, "init"), plugin)
    if not ok then host.swallowed = problem end
  end
  rawset(env, "require", no_require)
  rawset(env, "_PLUGIN", nil)
  host.env, host.plugin = env, plugin
  return plugin
end

function host.unload()
  if rawget(host.env, "exit") then rawget(host.env, "exit")(host.plugin) end
end

-- Runs a file as `aseprite --script-param k=v --script path` does. Returns true, or false and the message.
function host.run_script(path, params)
  local env = sandbox()
  host.params = params or {}
  local folder = path:match("^(.*)/[^/]*$")
  rawset(env, "_SCRIPT_PATH", folder)
  rawset(env, "require", requirer(env, folder, ""))
  local chunk = assert(loadfile(path, "t", env))
  local ok, problem = pcall(chunk)
  rawset(env, "require", no_require)
  return ok, problem
end

-- Runs a plug-in's command as its menu item or shortcut does.
function host.run(id)
  local entry = host.commands[id] or error("no command " .. id)
  if entry.onenabled and not entry.onenabled() then return false end
  local ok, problem = pcall(entry.onclick)
  if not ok then core.print("Error: " .. tostring(problem)) end
  return ok
end

return host
