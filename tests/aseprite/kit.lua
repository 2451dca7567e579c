-- What the scenarios are built from: sprites, a person's hands, and an engine made of answers.

local core = require "core"
local document = require "document"
local values = require "values"
local ui = require "ui"
local json = require "json"
local kit = {}

local ColorMode = values.ColorMode

-- sprites -----------------------------------------------------------------------------------------

kit.COLORS = {
  { 255, 0, 255, 255 }, { 20, 16, 24, 255 }, { 230, 180, 140, 255 }, { 120, 70, 40, 255 }, { 250, 250, 250, 255 },
  { 60, 90, 160, 255 }, { 180, 60, 50, 255 }, { 0, 0, 0, 255 },
}

-- A little face: index 2 skin, 3 hair, 1 outline, 5 eyes, 6 mouth; `clear` around it.
local function face_index(x, y, w, h, clear)
  local u, v = (x + 0.5) / w * 16, (y + 0.5) / h * 16
  if (u - 8) ^ 2 + (v - 8) ^ 2 > 49 then return clear end
  if v < 5 then return 3 end
  if v > 7 and v < 8.9 and (math.abs(u - 5.5) < 1 or math.abs(u - 10.5) < 1) then return 5 end
  if v > 11 and v < 12 and math.abs(u - 8) < 2 then return 6 end
  return 2
end
kit.face_index = face_index

-- options: width, height, mode, transparent, frames, face = { x, y, w, h }, background, filename, colors
function kit.sprite(options)
  options = options or {}
  local width, height, mode = options.width or 32, options.height or 32, options.mode or ColorMode.RGB
  local transparent = options.transparent or 0
  local doc = document.open { width = width, height = height, mode = mode, transparent = transparent, filename = options.filename or "/art/hero.aseprite" }
  doc.palettes = { { frame = 1, colors = {} } }
  for i, c in ipairs(options.colors or kit.COLORS) do doc.palettes[1].colors[i] = { table.unpack(c) } end
  local layer = document.add_layer(doc, options.background and "Background" or "Body")
  layer.background = options.background
  local face = options.face or { x = 8, y = 8, w = 16, h = 16 }
  for number = 1, options.frames or 1 do
    doc.frames[number] = { duration = 100 + 10 * number }
    local image = document.make_image(width, height, mode, mode == 2 and transparent or 0)
    local list = {}
    for y = 0, height - 1 do
      for x = 0, width - 1 do
        local inside = x >= face.x and y >= face.y and x < face.x + face.w and y < face.y + face.h
        local clear = options.background and 1 or transparent
        local index = inside and face_index(x - face.x, y - face.y, face.w, face.h, clear) or clear
        if number > 1 and x == number and y == 0 then index = 4 end -- frames differ
        local c = doc.palettes[1].colors[index + 1]
        local seen = index ~= transparent or options.background
        if mode == 2 then list[#list + 1] = index
        elseif mode == 1 then list[#list + 1] = seen and (c[2] | 255 << 8) or 0
        else list[#list + 1] = seen and (c[1] | c[2] << 8 | c[3] << 16 | 255 << 24) or 0 end
      end
    end
    document.set_pixels(image, list)
    document.add_cel(doc, layer, number, image)
  end
  return doc
end

function kit.select(doc, x, y, w, h) doc.selection = { x = x, y = y, w = w, h = h } end

function kit.slice(doc, name, x, y, w, h)
  local object = document.sprite_object(doc):newSlice(values.Rectangle(x, y, w, h))
  object.name = name
  doc.undo = {}
  return core.state(object).id
end

function kit.tag(doc, name, from, to)
  local object = document.sprite_object(doc):newTag(from, to)
  object.name = name
  doc.undo = {}
end

-- Everything of a sprite that must not change, as one string.
function kit.fingerprint(doc)
  local parts = { doc.width, doc.height, doc.mode, doc.transparent, doc.filename }
  for _, frame in ipairs(doc.frames) do parts[#parts + 1] = frame.duration end
  for _, palette in ipairs(doc.palettes) do
    for _, c in ipairs(palette.colors) do parts[#parts + 1] = table.concat(c, ".") end
  end
  for _, layer in ipairs(doc.layers) do
    parts[#parts + 1] = layer.name
    local linked = {}
    for number = 1, #doc.frames do
      local cel = layer.cels[number]
      if cel then
        linked[cel.data] = linked[cel.data] or number
        parts[#parts + 1] = ("%d=%d:%d,%d"):format(number, linked[cel.data], cel.data.x, cel.data.y)
        parts[#parts + 1] = cel.data.image.bytes
      end
    end
  end
  for _, tag in ipairs(doc.tags) do parts[#parts + 1] = tag.name .. tag.from .. tag.to end
  for _, slice in ipairs(doc.slices) do
    local b = slice.bounds
    parts[#parts + 1] = ("%s %d,%d,%d,%d"):format(slice.name, b.x, b.y, b.w, b.h)
  end
  return table.concat(parts, "|")
end

function kit.newest() return document.sprites[#document.sprites] end
function kit.layer(doc, name)
  for _, layer in ipairs(doc.layers) do if layer.name == name then return layer end end
end
function kit.pixel(image, x, y)
  return document.pixels_of(image)[y * image.w + x + 1]
end

-- the extension -----------------------------------------------------------------------------------

-- A copy of the extension's folder with the engine's files in it, or the folder itself.
function kit.folder(files)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute(("cp -r '%s' '%s'"):format(kit.extension, folder)))
  for name, text in pairs(files or {}) do
    local file = assert(io.open(folder .. "/" .. name, "w"))
    file:write(text)
    file:close()
  end
  kit.folders = kit.folders or {}
  table.insert(kit.folders, folder)
  return folder
end

kit.CONNECTION = 'return { protocol = 1, version = "9.9", host = "127.0.0.1", port = 27630, token = "secret" }'
kit.LAUNCH = 'return { command = { "/opt/my env/bin/python", "-m", "spriteface", "serve", "--background" }, state = "/nonexistent/engine.json", log = "/nonexistent/engine.log", version = "9.9", protocol = 1 }'

-- Loads the extension with an engine's connection file and launch file beside it (unless told otherwise).
function kit.load(options)
  options = options or {}
  local files = { ["connection.lua"] = options.connection or kit.CONNECTION, ["engine.lua"] = options.launch or kit.LAUNCH }
  if options.connection == false then files["connection.lua"] = nil end
  if options.launch == false then files["engine.lua"] = nil end
  local host = require "init"
  host.getenv = function(name)
    return ({ HOME = "/nonexistent", SPRITEFACE_STATE = options.state or "/nonexistent/state" })[name]
  end
  kit.home = kit.folder(files)
  kit.plugin = host.load_extension(kit.home, "main.lua", options.preferences)
  assert(not host.swallowed, host.swallowed)
  return kit.plugin
end

function kit.dialog() return ui.dialogs[#ui.dialogs] end
function kit.text(id) return ui.widget(kit.dialog(), id).text end
function kit.status() return (kit.text "status" .. " " .. kit.text "status2"):gsub(" +$", "") end

-- an engine of answers ------------------------------------------------------------------------------

-- Our own reading of docs/engine.md, apart from the extension's.
function kit.encode(header, images)
  local entries, data = {}, {}
  for i, image in ipairs(images or {}) do
    local parts = {}
    for _, key in ipairs { "name", "width", "height", "format", "palette", "transparent" } do parts[key] = image[key] end
    entries[i], data[i] = parts, image.data
  end
  if #entries > 0 then header.images = entries end
  local text = json.encode(header)
  return string.pack("<I4", #text) .. text .. table.concat(data)
end

function kit.decode(frame)
  local length, at = string.unpack("<I4", frame)
  local header = json.decode(frame:sub(at, at + length - 1))
  at = at + length
  local images = {}
  for i, entry in ipairs(header.images or {}) do
    local size = math.tointeger(entry.width * entry.height * ({ rgba8 = 4, index8 = 1 })[entry.format])
    images[i] = { entry = entry, data = frame:sub(at, at + size - 1) }
    at = at + size
  end
  assert(at == #frame + 1, "bytes left over")
  return header, images
end

kit.HELLO = { type = "hello", protocol = 1, protocols = { 1 }, version = "9.9", kinds = { "find", "portrait", "restore" }, dithers = { "none", "bayer" }, log = "/l" }

-- Plays the engine. `answer(message, images, reply)` gets every message; without it, submits are accepted.
-- Returns the record: sent messages, the socket, reply(header, images).
function kit.engine(answer, options)
  options = options or {}
  local engine = { sent = {}, images = {}, hello = options.hello or kit.HELLO, closed = 0 }
  function engine.reply(header, images) ui.received(engine.socket, kit.encode(header, images)) end
  ui.websocket_answer = function(socket)
    engine.socket = socket
    engine.connections = (engine.connections or 0) + 1
    if options.refuse then return ui.refused(socket) end
    if options.silent then return end
    socket.onclosed = function() engine.closed = engine.closed + 1 end
    socket.onsend = function(_, kind, data)
      assert(kind == "binary", "text frame")
      local header, images = kit.decode(data)
      engine.sent[#engine.sent + 1] = header
      engine.images[#engine.images + 1] = images
      if header.type == "submit" then
        engine.jobs = (engine.jobs or 0) + 1
        local id = "job" .. engine.jobs
        if not options.mute then engine.reply { type = "accepted", id = id, kind = header.kind, position = 0, ref = header.ref } end
        if answer then answer(header, images, engine.reply, id) end
      elseif header.type == "cancel" then
        engine.reply { type = "cancelling", id = header.id, state = "running" }
        engine.reply { type = "error", id = header.id, code = "cancelled", message = "cancelled", hint = "" }
      elseif answer then
        answer(header, images, engine.reply)
      end
    end
    ui.opened(socket)
    engine.reply(engine.hello)
  end
  return engine
end

-- A picture with a gradient, so that placing can be told. With `matte`, its upper half is clear.
function kit.picture(name, width, height, matte)
  local parts = {}
  for y = 0, height - 1 do
    for x = 0, width - 1 do parts[#parts + 1] = string.char(x * 255 // width, y * 255 // height, 100, matte and y < height // 2 and 0 or 255) end
  end
  return { name = name, width = width, height = height, format = "rgba8", data = table.concat(parts) }
end

-- Answers portrait, restore and find jobs as the engine would.
function kit.good_engine(options)
  options = options or {}
  return kit.engine(function(header, images, reply, id)
    if header.type ~= "submit" then return end
    local entry = images[1].entry
    local face = options.face or { 0, 0, entry.width, entry.height }
    if header.kind == "portrait" then
      local size = header.portrait.size
      reply({ type = "progress", id = id, stage = "rendering", fraction = 0.5, face = 0, loss = nil }, { kit.picture("preview", 32, 32) })
      reply({
        type = "result", id = id, index = 0, face_index = 0, candidate = 0, seed = header.portrait.seed, generator = "head", version = "9.9",
        lr_psnr_db = 20.5, downscale_operator = "area", seconds = 1.5, latent = {}, notes = {}, traits = {},
        face = { crop = face, box = face, head = face, score = 1, view = "front" },
      }, { kit.picture("portrait", size, size, options.matte), kit.picture("small", math.tointeger(face[3]), math.tointeger(face[4])) })
    elseif header.kind == "restore" then
      local o = header.output
      local source = images[2] and images[2].entry
      local palette, transparent = o.colors, o.transparent
      if not palette then
        palette, transparent = source.palette or { { 9, 9, 9, 255 }, { 200, 100, 50, 255 }, { 0, 0, 0, 0 } }, source.transparent
        if not source.palette then transparent = 2 end
      end
      local w, h = math.tointeger(o.width), math.tointeger(o.height)
      if w == 0 then w, h = math.tointeger(entry.width), math.tointeger(entry.height) end
      local list, plain = {}, {}
      for i, c in ipairs(palette) do plain[i] = { c[1], c[2], c[3], c[4] or 255 } end
      for i = 0, w * h - 1 do list[#list + 1] = string.char(i % #plain) end
      reply({ type = "result", id = id, index = 0, used = { 0 }, mean_delta_e = 3.0 }, {
        { name = "restored", width = w, height = h, format = "index8", data = table.concat(list), palette = plain, transparent = transparent },
        kit.picture("preview", w, h),
      })
    elseif header.kind == "find" then
      local faces = {}
      for i, crop in ipairs(options.faces or {}) do
        faces[i] = { box = crop, head = crop, crop = crop, score = 0.9, view = "front", side = "", kind = "human", detector = "d", name = "", group = -1 }
      end
      reply { type = "result", id = id, index = 0, faces = faces, scale = { 1, 1 }, phase = { 0, 0 }, native_size = { 32, 32 } }
    end
    reply { type = "done", id = id, count = 1, seconds = 0.1 }
  end, options)
end

-- Runs a command and lets everything happen that waits to.
function kit.run(id, may_fail)
  local ok = require("init").run(id)
  if not ok and #core.console > 0 and not may_fail then error(core.console[#core.console], 2) end
  ui.pump()
  return ok
end

function kit.press(id)
  ui.click(kit.dialog(), id)
  ui.pump()
end

function kit.equal(a, b, what)
  if a ~= b then error(("%s: %s is not %s"):format(what or "value", tostring(a), tostring(b)), 2) end
end

function kit.contains(text, part)
  if not tostring(text):find(part, 1, true) then error(("%q is not in %q"):format(part, tostring(text)), 2) end
end

return kit
