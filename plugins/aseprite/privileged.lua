-- Every call that Aseprite asks the user's permission for, and nothing else. Aseprite asks per
-- file of Lua code and remembers the file's path, so these live together in one file: the question
-- comes once. It finds out whom to ask for from the calling function, so none of these calls may
-- be a tail call (`return io.open(...)`) or go through pcall(io.open, ...): both hide the caller.
--
-- Reading the two small Lua files that `spriteface install-plugins` and the engine write beside
-- this one needs no permission.

local privileged = {}

local WINDOWS = app.fs.pathSeparator == "\\"
local join = app.fs.joinPath

-- small files of Lua data ---------------------------------------------------------------------------

-- The table that a file returns; nil where there is none. The file's code sees no globals.
local function data_file(path)
  local chunk = loadfile(path, "t", {})
  if not chunk then return nil end
  local ok, value = pcall(chunk)
  if ok and type(value) == "table" then return value end
  return nil
end

local function state_folder()
  local own = os.getenv("SPRITEFACE_STATE")
  if own and own ~= "" then return own end
  if WINDOWS then
    local base = os.getenv("LOCALAPPDATA")
    return base and join(base, "spriteface")
  end
  local home = os.getenv("HOME")
  if not home then return nil end
  local mac = join(home, "Library", "Application Support")
  if app.fs.isDirectory(mac) then return join(mac, "spriteface") end
  local base = os.getenv("XDG_STATE_HOME")
  if not base or base == "" then base = join(home, ".local", "state") end
  return join(base, "spriteface")
end

-- How to start an engine, as install-plugins wrote it; nil where the extension was added by hand.
function privileged.launch_file(folder)
  return data_file(join(folder, "engine.lua"))
end

local function from_json(path)
  if not app.fs.isFile(path) then return nil end
  local text = privileged.read(path)
  local ok, value = pcall(json.decode, text or "")
  if not ok or not value then return nil end
  return { host = value.host, port = value.port, token = value.token, version = value.version, log = value.log }
end

-- Where the running engine listens: { host, port, token, version, log }; nil if none runs. Looked
-- for where reading needs no permission. The engine's JSON file, which does, is read only where
-- there is no other way (the extension was added by hand) or with `asking`.
function privileged.connection(folder, asking)
  local launch = privileged.launch_file(folder)
  local here = data_file(join(folder, "connection.lua"))
  if here then return here end
  local state = launch and launch.state and app.fs.filePath(launch.state) or state_folder()
  if not state then return nil end
  local there = data_file(join(state, "connection.lua"))
  if there then return there end
  if launch and not asking then return nil end
  return from_json(join(state, "engine.json"))
end

-- files -----------------------------------------------------------------------------------------------

-- The whole file, or nil and a message.
function privileged.read(path)
  local allowed, file, problem = pcall(function()
    local handle, message = io.open(path, "rb")
    return handle, message
  end)
  if not allowed then return nil, tostring(file) end
  if not file then return nil, problem end
  local text = file:read("a")
  file:close()
  return text
end

function privileged.remove(path)
  local ok, problem = os.remove(path)
  return ok, problem
end

function privileged.load_image(path)
  local image = Image { fromFile = path }
  return image
end

-- An indexed picture: its image, palette and transparent index (nil where nothing is clear).
function privileged.load_indexed(path)
  local sprite = Sprite { fromFile = path, oneFrame = true }
  if not sprite then return nil end
  local transparent = not sprite.backgroundLayer and sprite.transparentColor or nil
  local image, palette = sprite.cels[1].image:clone(), Palette(sprite.palettes[1])
  sprite:close()
  return image, palette, transparent
end

function privileged.save_image(image, path, palette)
  -- saveAs{...} without a palette raises: it takes the missing field for one.
  local ok
  if palette then
    ok = image:saveAs { filename = path, palette = palette }
  else
    ok = image:saveAs(path)
  end
  return ok
end

function privileged.save_sprite(sprite, path)
  local ok = sprite:saveCopyAs(path)
  return ok
end

-- network ---------------------------------------------------------------------------------------------

-- A WebSocket that is connecting, or nil and why: "absent" (built without), "denied" (by the user).
function privileged.open_socket(url, onreceive)
  if not WebSocket then return nil, "absent" end
  local ok, socket = pcall(function()
    local made = WebSocket { url = url, onreceive = onreceive, deflate = false, minreconnectwait = 1, maxreconnectwait = 2 }
    return made
  end)
  if not ok then return nil, "denied", tostring(socket) end
  socket:connect()
  return socket
end

-- programs --------------------------------------------------------------------------------------------

-- One word of a command line.
function privileged.quote(word)
  if WINDOWS then
    if word:match("^[%w%-%./:\\_=,]+$") then return word end
    return '"' .. word:gsub('"', '\\"') .. '"'
  end
  if word:match("^[%w%-%./:_=,@+]+$") then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

function privileged.command_line(words)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = privileged.quote(tostring(word)) end
  return table.concat(quoted, " ")
end

-- Variables of this program that would lead another Python astray.
local FOREIGN = { "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "GI_TYPELIB_PATH" }

local function without_foreign(line)
  local parts = {}
  if WINDOWS then
    for i, name in ipairs(FOREIGN) do parts[i] = 'set "' .. name .. '=" & ' end
    return table.concat(parts) .. line
  end
  for i, name in ipairs(FOREIGN) do parts[i] = " -u " .. name end
  return "env" .. table.concat(parts) .. " " .. line
end

-- Starts a program and returns at once. True, or nil and a message.
function privileged.start(words)
  local line = privileged.command_line(words)
  if WINDOWS then
    line = without_foreign('start "" /b ' .. line .. " >nul 2>nul")
  else
    line = without_foreign(line .. " >/dev/null 2>&1 &")
  end
  local allowed, ok = pcall(function()
    local done = os.execute(line)
    return done
  end)
  if not allowed then return nil, "denied" end
  if not ok then return nil, "failed" end
  return true
end

-- Runs a program to its end: what it wrote to its output, its exit status, and what it complained
-- of. Only for batch mode, where nothing can freeze.
function privileged.capture(words, complaints)
  local line = without_foreign(privileged.command_line(words) .. " 2>" .. privileged.quote(complaints))
  if WINDOWS then line = '"' .. line .. '"' end
  local pipe = io.popen(line, "r")
  local output = pipe:read("a")
  local _, _, status = pipe:close()
  local said = privileged.read(complaints)
  privileged.remove(complaints)
  return output, status or 0, said or ""
end

-- A new empty folder for temporary files.
function privileged.temporary_folder()
  for _ = 1, 100 do
    local path = join(app.fs.tempPath, ("spriteface-%d-%06d"):format(os.time(), math.random(0, 999999)))
    if not app.fs.isDirectory(path) and app.fs.makeDirectory(path) then return path end
  end
  error("no temporary folder could be made in " .. app.fs.tempPath, 0)
end

return privileged
