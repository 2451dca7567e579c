-- Sprites, layers, cels, images, palettes, tags, slices, the selection; undo and transactions.
--
-- Every change to a sprite goes through `edit`, which makes one undo step, or joins the sprite's
-- open transaction, or rolls everything back if it raises. A transaction belongs to the sprite
-- that was active when it began; changes to another sprite inside it are steps of their own.

local core = require "core"
local values = require "values"
local new, integer, check, violation = core.new, core.integer, core.check, core.violation
local ColorMode = values.ColorMode
local document = { sprites = {}, active = nil, frame = 1, layer = nil, range = nil, row_align = 1, writers = {} }

local BYTES = { [0] = 4, [1] = 2, [2] = 1, [4] = 4 }
local models = {} -- id -> model; what is not here is gone
local last_id = 0
local function next_id()
  last_id = last_id + 1
  return last_id
end
local function register(model)
  models[model.id] = model
  return model
end
local function resolve(id, kind)
  local model = models[id]
  if not model then error(("Using a nil '%s' object"):format(kind), 3) end
  return model
end

-- images ------------------------------------------------------------------------------------------

local function stride_of(width, mode)
  local bytes = width * BYTES[mode]
  return (bytes + document.row_align - 1) // document.row_align * document.row_align
end

-- The bytes of a pixel of this value.
local function packed(mode, value)
  return string.pack("<I" .. BYTES[mode], value & ((1 << 8 * BYTES[mode]) - 1))
end

local function make_image(width, height, mode, mask, fill)
  local row = packed(mode, fill or 0):rep(width)
  local stride = stride_of(width, mode)
  row = row .. ("\0"):rep(stride - #row)
  return register { id = next_id(), w = width, h = height, mode = mode, mask = mask or 0, stride = stride,
    bytes = row:rep(height) }
end
document.make_image = make_image

local function copy_image(source)
  local copy = {}
  for key, value in pairs(source) do copy[key] = value end
  copy.id = next_id()
  return register(copy)
end

-- The image's pixels as a list of integers, row by row.
local function pixels_of(image)
  local list, size = {}, BYTES[image.mode]
  local format = "<I" .. size
  for y = 0, image.h - 1 do
    for x = 0, image.w - 1 do
      list[#list + 1] = string.unpack(format, image.bytes, y * image.stride + x * size + 1)
    end
  end
  return list
end
document.pixels_of = pixels_of

local function set_pixels(image, list)
  local rows, padding = {}, ("\0"):rep(image.stride - image.w * BYTES[image.mode])
  for y = 0, image.h - 1 do
    local row = {}
    for x = 1, image.w do row[x] = packed(image.mode, list[y * image.w + x]) end
    rows[#rows + 1] = table.concat(row) .. padding
  end
  image.bytes = table.concat(rows)
end
document.set_pixels = set_pixels

-- One pixel over another, straight alpha.
local function blend(mode, below, above, opacity, mask)
  if mode == ColorMode.INDEXED then
    return above == mask and below or above
  end
  local shift = mode == ColorMode.RGB and 24 or 8
  local alpha = (above >> shift & 255) * opacity // 255
  if alpha == 0 then return below end
  local base = below >> shift & 255
  local out = alpha + base * (255 - alpha) // 255
  local value = out << shift
  for bit = 0, shift - 8, 8 do
    local a, b = above >> bit & 255, below >> bit & 255
    value = value | ((a * alpha + b * base * (255 - alpha) // 255) // out) << bit
  end
  return value
end

local function draw(target, source, at_x, at_y, opacity)
  if target.mode ~= source.mode then
    violation(("drawImage of colour mode %d onto %d picks the nearest colours of whatever palette is active"):format(
      source.mode, target.mode), 2)
  end
  local to, from = pixels_of(target), pixels_of(source)
  for y = 0, source.h - 1 do
    for x = 0, source.w - 1 do
      local tx, ty = x + at_x, y + at_y
      if tx >= 0 and ty >= 0 and tx < target.w and ty < target.h then
        local i = ty * target.w + tx + 1
        to[i] = blend(target.mode, to[i], from[y * source.w + x + 1], opacity or 255, source.mask)
      end
    end
  end
  set_pixels(target, to)
end

local function resized(image, width, height)
  local copy = make_image(width, height, image.mode, image.mask)
  local from, to = pixels_of(image), {}
  for y = 0, height - 1 do
    for x = 0, width - 1 do
      to[#to + 1] = from[(y * image.h // height) * image.w + x * image.w // width + 1]
    end
  end
  set_pixels(copy, to)
  return copy
end

-- undo --------------------------------------------------------------------------------------------

local CONTENT = {
  "width", "height", "mode", "transparent", "layers", "frames", "palettes", "tags", "slices", "selection", "tilesets",
}

local function deep(value, memo)
  if type(value) ~= "table" or core.state(value) then return value end
  if memo[value] then return memo[value] end
  local copy = {}
  memo[value] = copy
  for key, item in pairs(value) do copy[key] = deep(item, memo) end
  return copy
end

local function walk(value, visit, seen)
  if type(value) ~= "table" or core.state(value) or seen[value] then return end
  seen[value] = true
  if value.id then visit(value) end
  for _, item in pairs(value) do walk(item, visit, seen) end
end

local function content(doc)
  local copy, memo = {}, {}
  for _, key in ipairs(CONTENT) do copy[key] = deep(doc[key], memo) end
  return copy
end

local function forget(doc)
  local seen = {}
  for _, key in ipairs(CONTENT) do walk(doc[key], function(m) models[m.id] = nil end, seen) end
end

local function restore(doc, snapshot)
  forget(doc)
  local memo = {}
  for _, key in ipairs(CONTENT) do doc[key] = deep(snapshot[key], memo) end
  local seen = {}
  for _, key in ipairs(CONTENT) do walk(doc[key], register, seen) end
end

local function edit(doc, change)
  if doc.transaction then
    doc.transaction.commands = doc.transaction.commands + 1
    return change()
  end
  local before = content(doc)
  local ok, result = pcall(change)
  if not ok then
    restore(doc, before)
    error(result, 0)
  end
  doc.undo[#doc.undo + 1] = { label = "Transaction", before = before }
  doc.redo = {}
  doc.modified = true
  return result
end
document.edit = edit

function document.transaction(label, change)
  if type(label) == "function" then label, change = "Transaction", label end
  if type(change) ~= "function" then violation("app.transaction without a function does nothing", 2) end
  local doc = document.active
  if not doc then violation("app.transaction without an active sprite", 2) end
  if doc.transaction then return change() end
  local before = content(doc)
  doc.transaction = { commands = 0 }
  local results = table.pack(pcall(change))
  local commands = doc.transaction.commands
  doc.transaction = nil
  if not results[1] then
    restore(doc, before)
    error(results[2], 0)
  end
  if commands > 0 then
    doc.undo[#doc.undo + 1] = { label = label, before = before }
    doc.redo = {}
    doc.modified = true
  end
  return table.unpack(results, 2, results.n)
end

function document.step_back(doc)
  local step = table.remove(doc.undo)
  if not step then return end
  step.after = content(doc)
  restore(doc, step.before)
  doc.redo[#doc.redo + 1] = step
end

function document.step_forward(doc)
  local step = table.remove(doc.redo)
  if not step then return end
  restore(doc, step.after)
  doc.undo[#doc.undo + 1] = step
end

-- helpers over the model --------------------------------------------------------------------------

local function doc_of(id) return resolve(id, "Sprite") end

local function all_layers(list, out)
  for _, layer in ipairs(list) do
    out[#out + 1] = layer
    if layer.children then all_layers(layer.children, out) end
  end
  return out
end

local function frame_number(value)
  if core.kind(value) == "Frame" then return core.state(value).number end
  if value == nil then return 1 end
  return integer(value, "frame")
end
document.frame_number = frame_number

local function existing_frame(doc, value)
  local number = frame_number(value)
  if number < 1 or number > #doc.frames then error("frame index out of bounds " .. number, 3) end
  return number
end

local function render(doc, number)
  local mask = doc.mode == ColorMode.INDEXED and doc.transparent or 0
  local image = make_image(doc.width, doc.height, doc.mode, mask, mask)
  local function paint(list)
    for _, layer in ipairs(list) do
      if layer.visible then
        local cel = layer.cels[number]
        if layer.children then
          paint(layer.children)
        elseif cel and not layer.tilemap then
          draw(image, cel.data.image, cel.data.x, cel.data.y, cel.data.opacity)
        end
      end
    end
  end
  paint(doc.layers)
  return image
end
document.render = render

-- classes -----------------------------------------------------------------------------------------

local function spec_of(width, height, mode, transparent, space)
  return values.ImageSpec { width = width, height = height, colorMode = mode, transparentColor = transparent, colorSpace = space }
end

local function image_object(model, cel) return new("Image", { id = model.id, cel = cel and cel.id }) end
document.image_object = image_object
local function image_of(state) return resolve(state.id, "Image") end
function document.image_model(object) return image_of(check(object, "Image")) end

local function cel_sprite(cel) return doc_of(cel.sprite) end

local function image_get(since, read)
  return { since, function(state) return read(image_of(state)) end }
end

core.class("Image", {
  get = {
    width = image_get(1, function(m) return m.w end), height = image_get(1, function(m) return m.h end),
    colorMode = image_get(1, function(m) return m.mode end), rowStride = image_get(15, function(m) return m.stride end),
    bytesPerPixel = image_get(26, function(m) return BYTES[m.mode] end),
    bytes = image_get(15, function(m) return m.bytes end),
    bounds = image_get(21, function(m) return values.Rectangle(0, 0, m.w, m.h) end),
    spec = image_get(1, function(m) return spec_of(m.w, m.h, m.mode, m.mask) end),
    cel = { 1, function(s) return s.cel and new("Cel", { id = s.cel }) or nil end },
  },
  set = {
    bytes = { 15, function(state, bytes)
      local model = image_of(state)
      if state.cel then violation("image.bytes of a cel cannot be undone", 3) end
      if #bytes ~= #model.bytes then
        error(("Data size does not match: given %d, needed %d."):format(#bytes, #model.bytes), 3)
      end
      model.bytes = bytes
    end },
  },
  call = {
    clone = { 1, function(self) return image_object(copy_image(image_of(check(self, "Image")))) end },
    getPixel = { 1, function(self, x, y)
      local m = image_of(check(self, "Image"))
      x, y = integer(x), integer(y)
      if x < 0 or y < 0 or x >= m.w or y >= m.h then return m.mask end
      return (string.unpack("<I" .. BYTES[m.mode], m.bytes, y * m.stride + x * BYTES[m.mode] + 1))
    end },
    drawPixel = { 1, function(self, x, y, value)
      local state = check(self, "Image")
      if state.cel then violation("drawPixel on a cel's image cannot be undone", 2) end
      local m = image_of(state)
      local at = integer(y) * m.stride + integer(x) * BYTES[m.mode]
      m.bytes = m.bytes:sub(1, at) .. packed(m.mode, integer(value)) .. m.bytes:sub(at + 1 + BYTES[m.mode])
    end },
    drawImage = { 1, function(self, other, position, opacity)
      local state, source = check(self, "Image"), image_of(check(other, "Image", "drawImage"))
      local at = core.state(values.Point(position))
      if state.cel then
        local cel = resolve(state.cel, "Cel")
        return edit(cel_sprite(cel), function() draw(image_of(state), source, at.x, at.y, opacity) end)
      end
      draw(image_of(state), source, at.x, at.y, opacity)
    end },
    drawSprite = { 1, function(self, sprite, frame, position)
      local state, doc = check(self, "Image"), doc_of(check(sprite, "Sprite", "drawSprite").id)
      local at = core.state(values.Point(position))
      if state.cel then violation("drawSprite onto a cel is not played", 2) end
      draw(image_of(state), render(doc, existing_frame(doc, frame)), at.x, at.y)
    end },
    isEqual = { 1, function(self, other)
      local a, b = image_of(check(self, "Image")), image_of(check(other, "Image"))
      return a.w == b.w and a.h == b.h and a.mode == b.mode and a.bytes == b.bytes
    end },
    isEmpty = { 1, function(self)
      local m = image_of(check(self, "Image"))
      for _, pixel in ipairs(pixels_of(m)) do if pixel ~= m.mask then return false end end
      return true
    end },
    resize = { 5, function(self, width, height)
      local state = check(self, "Image")
      if state.cel then violation("resize of a cel's image is not played", 2) end
      if type(width) == "table" then
        core.options(width, { width = 5, height = 5, size = 5, method = 5, pivot = 5 }, "Image:resize")
        if width.method and width.method ~= "bilinear" and width.method ~= "rotsprite" then
          violation("Image:resize: method " .. tostring(width.method), 2)
        end
        width, height = width.width, width.height
      end
      local model = image_of(state)
      local copy = resized(model, math.max(1, integer(width)), math.max(1, integer(height)))
      models[copy.id] = nil
      copy.id = model.id
      models[model.id] = copy
    end },
    saveAs = { 1, function(self, options)
      local model = image_of(check(self, "Image"))
      local name, palette = options, nil
      if type(options) == "table" then
        core.options(options, { filename = 9, palette = 9 }, "Image:saveAs")
        name, palette = options.filename, options.palette
        if not palette then violation("Image:saveAs{filename} takes the missing palette for one and raises", 2) end
      end
      if type(name) ~= "string" or name == "" then error("missing filename in Image:saveAs()", 2) end
      if model.mode == ColorMode.INDEXED and not palette then violation("Image:saveAs of an indexed image without palette", 2) end
      document.ask(name, "write")
      return document.writers.image(name, model, palette and document.palette_model(palette))
    end },
  },
  eq = function(a, b) return a.id == b.id end,
})

function document.Image(a, b, c)
  if core.kind(a) == "ImageSpec" then
    local s = core.state(a)
    return image_object(make_image(math.max(1, s.width), math.max(1, s.height), s.colorMode, s.transparentColor, s.transparentColor))
  elseif core.kind(a) == "Image" then
    local source = image_of(core.state(a))
    if b == nil then return image_object(copy_image(source)) end
    local r = core.state(b)
    if core.kind(b) ~= "Rectangle" then violation("Image(image, x) takes a Rectangle", 2) end
    if r.w < 1 or r.h < 1 then return nil end
    local out = make_image(r.w, r.h, source.mode, source.mask, source.mask)
    local from, to = pixels_of(source), {}
    for y = r.y, r.y + r.h - 1 do
      for x = r.x, r.x + r.w - 1 do
        local inside = x >= 0 and y >= 0 and x < source.w and y < source.h
        to[#to + 1] = inside and from[y * source.w + x + 1] or source.mask
      end
    end
    set_pixels(out, to)
    return image_object(out)
  elseif core.kind(a) == "Sprite" then
    return image_object(render(doc_of(core.state(a).id), 1))
  elseif type(a) == "table" then
    core.options(a, { fromFile = 1, width = 1, height = 1, colorMode = 1 }, "Image")
    if a.fromFile then
      document.ask(a.fromFile, "read")
      local model = document.readers.image(a.fromFile)
      return model and image_object(model) or nil
    end
    a, b, c = a.width, a.height, a.colorMode
  end
  return image_object(make_image(math.max(1, integer(a, "Image")), math.max(1, integer(b, "Image")), integer(c or 0), 0))
end

-- palettes: `state` is { doc, index } of a sprite's, or { colors } of a free one
local function palette_colors(state)
  if state.colors then return state.colors end
  return doc_of(state.doc).palettes[state.index].colors
end
function document.palette_model(object) return palette_colors(check(object, "Palette")) end

core.class("Palette", {
  get = {
    frameNumber = { 1, function(s) return s.doc and doc_of(s.doc).palettes[s.index].frame or 1 end },
    frame = { 1, function(s)
      if not s.doc then return nil end
      return new("Frame", { sprite = s.doc, number = doc_of(s.doc).palettes[s.index].frame })
    end },
  },
  call = {
    getColor = { 1, function(self, i)
      local colors = palette_colors(check(self, "Palette"))
      local c = colors[integer(i) + 1]
      if not c then error("index out of bounds " .. tostring(i), 2) end
      return values.Color { r = c[1], g = c[2], b = c[3], a = c[4] }
    end },
    setColor = { 1, function(self, i, color)
      local state, c = check(self, "Palette"), core.state(color)
      if core.kind(color) ~= "Color" then violation("Palette:setColor takes a Color", 2) end
      if i < 0 or i >= #palette_colors(state) then error("index out of bounds " .. tostring(i), 2) end
      local function change() palette_colors(state)[integer(i) + 1] = { c.r, c.g, c.b, c.a } end
      if state.doc then edit(doc_of(state.doc), change) else change() end
    end },
    resize = { 1, function(self, count)
      local state = check(self, "Palette")
      local function change()
        local colors = palette_colors(state)
        for i = #colors, integer(count) + 1, -1 do colors[i] = nil end
        for i = #colors + 1, count do colors[i] = { 0, 0, 0, 255 } end
      end
      if state.doc then edit(doc_of(state.doc), change) else change() end
    end },
  },
  len = function(s) return #palette_colors(s) end,
})

function document.Palette(a)
  if core.kind(a) == "Palette" then
    return new("Palette", { colors = deep(palette_colors(core.state(a)), {}) })
  elseif type(a) == "table" then
    violation("Palette{...} from a file or resource is not played", 2)
  end
  local colors, count = {}, a and integer(a) or 256
  for i = 1, count > 0 and count or 256 do colors[i] = { 0, 0, 0, 255 } end
  return new("Palette", { colors = colors })
end

core.class("Frame", {
  get = {
    sprite = { 1, function(s) return new("Sprite", { id = s.sprite }) end },
    frameNumber = { 1, function(s) return s.number end },
    duration = { 1, function(s) return doc_of(s.sprite).frames[s.number].duration / 1000.0 end },
  },
  set = {
    duration = { 1, function(s, seconds)
      local doc = doc_of(s.sprite)
      edit(doc, function() doc.frames[s.number].duration = math.floor(seconds * 1000.0) end)
    end },
  },
  eq = function(a, b) return a.sprite == b.sprite and a.number == b.number end,
})

-- A live or fixed collection: `list(state)` gives wrapped items.
local function collection(name, list, by_name)
  core.class(name, {
    index = function(state, i) return list(state)[math.floor(i)] end,
    get = setmetatable({}, { __index = function(_, key)
      if not by_name then return nil end
      return { 1, function(state)
        for _, item in ipairs(list(state)) do if item.name == key then return item end end
      end }
    end }),
    len = function(state) return #list(state) end,
  })
end
local function fixed(name) collection(name, function(s) return s.items end) end

local function wrap_all(kind, list)
  local out = {}
  for i, model in ipairs(list) do out[i] = new(kind, { id = model.id }) end
  return out
end
collection("Layers", function(s)
  local owner = models[s.layer] or doc_of(s.doc)
  return wrap_all("Layer", s.layer and owner.children or owner.layers)
end, true)
collection("Frames", function(s)
  local out = {}
  for i in ipairs(doc_of(s.doc).frames) do out[i] = new("Frame", { sprite = s.doc, number = i }) end
  return out
end)
collection("Tags", function(s) return wrap_all("Tag", doc_of(s.doc).tags) end)
collection("Slices", function(s) return wrap_all("Slice", doc_of(s.doc).slices) end)
core.class("Palettes", {
  index = function(s, i)
    if i < 1 or i > #doc_of(s.doc).palettes then error("index out of bounds " .. i, 3) end
    return new("Palette", { doc = s.doc, index = i })
  end,
  len = function(s) return #doc_of(s.doc).palettes end,
})
fixed "Cels"
fixed "Sprites"
fixed "FrameList"

local function cels_of(layers)
  local out = {}
  for _, layer in ipairs(layers) do
    local numbers = {}
    for number in pairs(layer.cels) do numbers[#numbers + 1] = number end
    table.sort(numbers)
    for _, number in ipairs(numbers) do out[#out + 1] = new("Cel", { id = layer.cels[number].id }) end
  end
  return new("Cels", { items = out })
end

local function cel_get(read)
  return { 1, function(s) return read(resolve(s.id, "Cel")) end }
end
core.class("Cel", {
  get = {
    sprite = cel_get(function(c) return new("Sprite", { id = c.sprite }) end),
    layer = cel_get(function(c) return new("Layer", { id = c.layer }) end),
    frame = cel_get(function(c) return new("Frame", { sprite = c.sprite, number = c.frame }) end),
    frameNumber = cel_get(function(c) return c.frame end),
    image = cel_get(function(c) return image_object(c.data.image, c) end),
    position = cel_get(function(c) return values.Point(c.data.x, c.data.y) end),
    bounds = cel_get(function(c) return values.Rectangle(c.data.x, c.data.y, c.data.image.w, c.data.image.h) end),
    opacity = cel_get(function(c) return c.data.opacity end),
    zIndex = { 23, function(s) return resolve(s.id, "Cel").z end },
  },
  set = {
    image = { 1, function(s, object)
      local cel, source = resolve(s.id, "Cel"), image_of(check(object, "Image", "cel.image"))
      local doc = cel_sprite(cel)
      if source.mode ~= doc.mode then
        violation(("cel.image of colour mode %d in a sprite of %d saves a corrupt file"):format(source.mode, doc.mode), 3)
      end
      edit(doc, function()
        models[cel.data.image.id] = nil
        cel.data.image = copy_image(source)
      end)
    end },
    position = { 1, function(s, point)
      local cel, p = resolve(s.id, "Cel"), core.state(values.Point(point))
      edit(cel_sprite(cel), function() cel.data.x, cel.data.y = p.x, p.y end)
    end },
    opacity = { 1, function(s, v)
      local cel = resolve(s.id, "Cel")
      edit(cel_sprite(cel), function() cel.data.opacity = integer(v) end)
    end },
  },
  eq = function(a, b) return a.id == b.id end,
})

local function layer_get(read, since)
  return { since or 1, function(s) return read(resolve(s.id, "Layer")) end }
end
local function layer_set(key)
  return { 1, function(s, v)
    local layer = resolve(s.id, "Layer")
    edit(doc_of(layer.sprite), function() layer[key] = v end)
  end }
end
core.class("Layer", {
  get = {
    sprite = layer_get(function(l) return new("Sprite", { id = l.sprite }) end),
    name = layer_get(function(l) return l.name end), opacity = layer_get(function(l) return l.opacity end),
    layers = layer_get(function(l) return l.children and new("Layers", { doc = l.sprite, layer = l.id }) or nil end),
    isImage = layer_get(function(l) return not l.children end), isGroup = layer_get(function(l) return l.children ~= nil end),
    isTilemap = layer_get(function(l) return l.tilemap == true end, 14),
    isBackground = layer_get(function(l) return l.background == true end),
    isTransparent = layer_get(function(l) return not l.background end),
    isVisible = layer_get(function(l) return l.visible end), isEditable = layer_get(function(l) return l.editable end),
    isReference = layer_get(function(l) return l.reference == true end, 15),
    cels = layer_get(function(l) return cels_of { l } end),
    stackIndex = layer_get(function(l)
      for i, other in ipairs(doc_of(l.sprite).layers) do if other == l then return i end end
    end),
  },
  set = { name = layer_set "name", isVisible = layer_set "visible", isEditable = layer_set "editable", opacity = layer_set "opacity" },
  call = {
    cel = { 1, function(self, frame)
      local cel = resolve(check(self, "Layer").id, "Layer").cels[frame_number(frame)]
      return cel and new("Cel", { id = cel.id }) or nil
    end },
  },
  eq = function(a, b) return a.id == b.id end,
})

local function tag_get(read) return { 1, function(s) return read(resolve(s.id, "Tag")) end } end
core.class("Tag", {
  get = {
    name = tag_get(function(t) return t.name end), frames = tag_get(function(t) return t.to - t.from + 1 end),
    fromFrame = tag_get(function(t) return new("Frame", { sprite = t.sprite, number = t.from }) end),
    toFrame = tag_get(function(t) return new("Frame", { sprite = t.sprite, number = t.to }) end),
    sprite = tag_get(function(t) return new("Sprite", { id = t.sprite }) end),
    aniDir = tag_get(function(t) return t.direction end),
  },
  set = {
    name = { 1, function(s, v)
      local tag = resolve(s.id, "Tag")
      edit(doc_of(tag.sprite), function() tag.name = v end)
    end },
    aniDir = { 1, function(s, v)
      local tag = resolve(s.id, "Tag")
      edit(doc_of(tag.sprite), function() tag.direction = v end)
    end },
  },
  eq = function(a, b) return a.id == b.id end,
})

local function slice_get(read) return { 1, function(s) return read(resolve(s.id, "Slice")) end } end
local function slice_set(write)
  return { 1, function(s, v)
    local slice = resolve(s.id, "Slice")
    edit(doc_of(slice.sprite), function() write(slice, v) end)
  end }
end
core.class("Slice", {
  get = {
    sprite = slice_get(function(t) return new("Sprite", { id = t.sprite }) end),
    name = slice_get(function(t) return t.name end),
    bounds = slice_get(function(t) return t.bounds and values.rect(t.bounds) or nil end),
    data = slice_get(function(t) return t.data or "" end),
    color = slice_get(function(t) return values.Color(t.color or { r = 0, g = 0, b = 255 }) end),
  },
  set = {
    name = slice_set(function(t, v) t.name = tostring(v) end),
    bounds = slice_set(function(t, v) t.bounds = values.rectangle_arguments(v) end),
    data = slice_set(function(t, v) t.data = v end),
    color = slice_set(function(t, v) t.color = core.state(v) end),
  },
  eq = function(a, b) return a.id == b.id end,
})

local function mask_bounds(doc) return doc.selection or { x = 0, y = 0, w = 0, h = 0 } end
core.class("Selection", {
  get = {
    bounds = { 1, function(s) return values.rect(mask_bounds(doc_of(s.doc))) end },
    isEmpty = { 1, function(s) return doc_of(s.doc).selection == nil end },
    origin = { 1, function(s) local b = mask_bounds(doc_of(s.doc)) return values.Point(b.x, b.y) end },
  },
  call = {
    contains = { 1, function(self, x, y)
      local selection, p = doc_of(check(self, "Selection").doc).selection, core.state(values.Point(x, y))
      if not selection then return false end
      local inside = p.x >= selection.x and p.y >= selection.y and p.x < selection.x + selection.w and p.y < selection.y + selection.h
      return inside and (not selection.hole or not selection.hole(p.x, p.y))
    end },
    select = { 1, function(self, ...)
      local doc, r = doc_of(check(self, "Selection").doc), values.rectangle_arguments(...)
      edit(doc, function() doc.selection = r end)
    end },
    deselect = { 1, function(self)
      local doc = doc_of(check(self, "Selection").doc)
      edit(doc, function() doc.selection = nil end)
    end },
  },
})

-- sprites -----------------------------------------------------------------------------------------

local function add_layer(doc, name, at)
  local layer = register {
    id = next_id(), sprite = doc.id, name = name or "Layer", opacity = 255, visible = true, editable = true, cels = {},
  }
  table.insert(at or doc.layers, layer)
  return layer
end
document.add_layer = add_layer

local function add_cel(doc, layer, number, image, x, y)
  layer.cels[number] = register {
    id = next_id(), sprite = doc.id, layer = layer.id, frame = number, z = 0,
    data = { image = image, x = x or 0, y = y or 0, opacity = 255 },
  }
  return layer.cels[number]
end
document.add_cel = add_cel

-- A new document, active from now on, as both the UI and the batch context have it.
local function open(fields)
  local doc = {
    id = next_id(), width = 1, height = 1, mode = 0, transparent = 0, colorSpace = values.ColorSpace { sRGB = true },
    filename = "", layers = {}, frames = { { duration = 100 } }, palettes = {}, tags = {}, slices = {}, undo = {}, redo = {},
  }
  for key, value in pairs(fields) do doc[key] = value end
  register(doc)
  document.sprites[#document.sprites + 1] = doc
  document.active, document.frame, document.layer, document.range = doc, 1, nil, nil
  return doc
end
document.open = open

local function default_palette(count)
  local colors = {}
  for i = 1, count do colors[i] = { (i - 1) % 256, (i - 1) * 7 % 256, (i - 1) * 31 % 256, 255 } end
  return colors
end

function document.Sprite(a, b, c)
  if core.kind(a) == "Sprite" then
    -- The copy has the original's file name and selection, but its own identities.
    local source, memo = doc_of(core.state(a).id), {}
    local doc = open { filename = source.filename, colorSpace = source.colorSpace }
    for _, key in ipairs(CONTENT) do doc[key] = deep(source[key], memo) end
    local renamed, seen = {}, {}
    for _, key in ipairs(CONTENT) do
      walk(doc[key], function(m)
        renamed[m.id] = next_id()
        m.id = renamed[m.id]
        if m.sprite then m.sprite = doc.id end
        register(m)
      end, seen)
    end
    for _, layer in ipairs(all_layers(doc.layers, {})) do
      for _, cel in pairs(layer.cels) do cel.layer = layer.id end
    end
    return new("Sprite", { id = doc.id })
  end
  local width, height, mode, transparent, space = a, b, c or 0, 0, nil
  if core.kind(a) == "ImageSpec" then
    local s = core.state(a)
    width, height, mode, transparent, space = s.width, s.height, s.colorMode, s.transparentColor, s.colorSpace
  elseif type(a) == "table" then
    core.options(a, { fromFile = 1, oneFrame = 1, width = 1, height = 1, colorMode = 1 }, "Sprite")
    if a.fromFile then
      document.ask(a.fromFile, "read")
      if not a.oneFrame then violation("Sprite{fromFile} without oneFrame loads a whole sequence of numbered files", 2) end
      local read = document.readers.sprite(a.fromFile)
      if not read then return nil end
      local doc = open { width = read.image.w, height = read.image.h, mode = read.image.mode, transparent = read.transparent or 0, filename = a.fromFile }
      doc.palettes = { { frame = 1, colors = read.colors or default_palette(256) } }
      local layer = add_layer(doc, read.opaque and "Background" or "Layer 1")
      layer.background = read.opaque
      add_cel(doc, layer, 1, read.image)
      return new("Sprite", { id = doc.id })
    end
    width, height, mode = a.width, a.height, a.colorMode or 0
  end
  width, height = integer(width, "Sprite width"), integer(height, "Sprite height")
  if width < 1 then error(("invalid width value = %d in Sprite()"):format(width), 2) end
  if height < 1 then error(("invalid height value = %d in Sprite()"):format(height), 2) end
  local doc = open { width = width, height = height, mode = mode, transparent = transparent, colorSpace = space or values.ColorSpace { sRGB = true } }
  doc.palettes = { { frame = 1, colors = default_palette(256) } }
  -- The first cel is filled with 0, even where index 0 is not the transparent one.
  add_cel(doc, add_layer(doc, "Layer 1"), 1, make_image(width, height, mode, transparent, 0))
  return new("Sprite", { id = doc.id })
end

local function sprite_get(since, read) return { since, function(s) return read(doc_of(s.id)) end } end
local function of(kind) return function(doc) return new(kind, { doc = doc.id }) end end

local function method(since, run)
  return { since, function(self, ...) return run(doc_of(check(self, "Sprite").id), ...) end }
end

local function new_cel(doc, layer_object, frame, image, position)
  local layer = resolve(check(layer_object, "Layer", "newCel").id, "Layer")
  if layer.sprite ~= doc.id then violation("newCel on another sprite's layer", 3) end
  if layer.children or layer.tilemap then error("unexpected kind of layer in Sprite:newCel()", 3) end
  local number, at = existing_frame(doc, frame), core.state(values.Point(position))
  local source = image and image_of(check(image, "Image", "newCel"))
  if source and source.mode ~= doc.mode then
    violation(("newCel with colour mode %d in a sprite of %d"):format(source.mode, doc.mode), 3)
  end
  local id
  edit(doc, function()
    if layer.background then
      local base = make_image(doc.width, doc.height, doc.mode, doc.transparent)
      if source then draw(base, source, at.x, at.y) end
      layer.cels[number].data.image = base
    else
      local copy = source and copy_image(source) or make_image(doc.width, doc.height, doc.mode, doc.transparent, doc.transparent)
      add_cel(doc, layer, number, copy, at.x, at.y)
    end
    id = layer.cels[number].id
  end)
  return new("Cel", { id = id })
end

core.class("Sprite", {
  get = {
    id = sprite_get(25, function(d) return d.id end),
    width = sprite_get(1, function(d) return d.width end), height = sprite_get(1, function(d) return d.height end),
    bounds = sprite_get(1, function(d) return values.Rectangle(0, 0, d.width, d.height) end),
    colorMode = sprite_get(1, function(d) return d.mode end), colorSpace = sprite_get(3, function(d) return d.colorSpace end),
    spec = sprite_get(1, function(d) return spec_of(d.width, d.height, d.mode, d.transparent, d.colorSpace) end),
    filename = sprite_get(1, function(d) return d.filename end), isModified = sprite_get(21, function(d) return d.modified == true end),
    transparentColor = sprite_get(1, function(d) return d.transparent end),
    layers = sprite_get(1, of "Layers"), frames = sprite_get(1, of "Frames"), palettes = sprite_get(1, of "Palettes"),
    tags = sprite_get(1, of "Tags"), slices = sprite_get(1, of "Slices"), selection = sprite_get(1, of "Selection"),
    cels = sprite_get(1, function(d) return cels_of(all_layers(d.layers, {})) end),
    backgroundLayer = sprite_get(1, function(d)
      for _, layer in ipairs(d.layers) do if layer.background then return new("Layer", { id = layer.id }) end end
    end),
    isValid = { 38, function(s) return models[s.id] ~= nil end },
  },
  set = {
    filename = { 3, function(s, v) doc_of(s.id).filename = v end },
    transparentColor = { 1, function(s, v)
      local doc = doc_of(s.id)
      edit(doc, function() doc.transparent = integer(v) end)
    end },
  },
  call = {
    newLayer = method(1, function(doc)
      local layer
      edit(doc, function() layer = add_layer(doc) end)
      return new("Layer", { id = layer.id })
    end),
    newCel = method(1, new_cel),
    deleteCel = method(1, function(doc, layer_object, frame)
      local layer = resolve(check(layer_object, "Layer", "deleteCel").id, "Layer")
      local number = frame_number(frame)
      local cel = layer.cels[number] or error("cel not found", 2)
      edit(doc, function()
        models[cel.id] = nil
        layer.cels[number] = nil
      end)
    end),
    newEmptyFrame = method(1, function(doc, number)
      number = number and frame_number(number) or #doc.frames + 1
      if number ~= #doc.frames + 1 then violation("newEmptyFrame in the middle is not played", 2) end
      edit(doc, function() doc.frames[number] = { duration = doc.frames[#doc.frames].duration } end)
      return new("Frame", { sprite = doc.id, number = number })
    end),
    newTag = method(1, function(doc, from, to)
      local tag = { id = next_id(), sprite = doc.id, name = "", from = frame_number(from), to = frame_number(to), direction = 0 }
      edit(doc, function() doc.tags[#doc.tags + 1] = register(tag) end)
      return new("Tag", { id = tag.id })
    end),
    newSlice = method(1, function(doc, ...)
      local bounds = values.rectangle_arguments(...)
      local slice = { id = next_id(), sprite = doc.id, name = "", bounds = bounds.w > 0 and bounds.h > 0 and bounds or nil }
      edit(doc, function() doc.slices[#doc.slices + 1] = register(slice) end)
      return new("Slice", { id = slice.id })
    end),
    deleteSlice = method(1, function(doc, which)
      for i, slice in ipairs(doc.slices) do
        if slice.name == which or core.kind(which) == "Slice" and core.state(which).id == slice.id then
          return edit(doc, function() models[table.remove(doc.slices, i).id] = nil end)
        end
      end
      error("slice not found", 2)
    end),
    deleteLayer = method(1, function(doc, object)
      local id = check(object, "Layer").id
      for i, layer in ipairs(doc.layers) do
        if layer.id == id then return edit(doc, function() models[table.remove(doc.layers, i).id] = nil end) end
      end
      error("layer not found", 2)
    end),
    setPalette = method(1, function(doc, palette)
      local colors = deep(document.palette_model(palette), {})
      edit(doc, function() doc.palettes[1].colors = colors end)
    end),
    saveAs = method(1, function(doc, name)
      document.ask(name, "write")
      document.writers.sprite(name, doc)
      doc.filename, doc.modified = name, false
      return true
    end),
    saveCopyAs = method(1, function(doc, name)
      document.ask(name, "write")
      document.writers.sprite(name, doc)
      return true
    end),
    close = method(3, function(doc)
      forget(doc)
      models[doc.id] = nil
      for i, other in ipairs(document.sprites) do if other == doc then table.remove(document.sprites, i) end end
      if document.active == doc then
        document.active, document.frame, document.layer, document.range = document.sprites[#document.sprites], 1, nil, nil
      end
    end),
  },
  eq = function(a, b) return a.id == b.id end,
})

function document.sprite_object(doc) return doc and new("Sprite", { id = doc.id }) or nil end
function document.sprite_model(object) return doc_of(check(object, "Sprite").id) end

-- the active layer, frame, cel and range ----------------------------------------------------------

local function active_layer()
  local doc = document.active
  if not doc then return nil end
  if document.layer and models[document.layer] then return models[document.layer] end
  return doc.layers[1]
end

function document.active_layer_object()
  local layer = active_layer()
  return layer and new("Layer", { id = layer.id }) or nil
end

function document.active_cel_object()
  local layer = active_layer()
  local cel = layer and layer.cels[document.frame]
  return cel and new("Cel", { id = cel.id }) or nil
end

core.class("Range", {
  get = {
    type = { 3, function(s) return s.type end },
    isEmpty = { 3, function(s) return s.type == 0 end },
    frames = { 3, function(s)
      local items = {}
      for i, number in ipairs(s.frames) do items[i] = new("Frame", { sprite = s.doc, number = number }) end
      return new("FrameList", { items = items })
    end },
    sprite = { 3, function(s) return new("Sprite", { id = s.doc }) end },
    slices = { 20, function(s)
      local items = {}
      for i, id in ipairs(s.slices) do items[i] = new("Slice", { id = id }) end
      return items
    end },
  },
})

function document.range_object()
  local doc = document.active
  local range = document.range or {}
  return new("Range", {
    doc = doc and doc.id, type = range.type or 0, frames = range.frames or { document.frame }, slices = range.slices or {},
  })
end

-- commands that change a sprite ------------------------------------------------------------------

local function nearest(colors, value, transparent)
  local r, g, b, a = value & 255, value >> 8 & 255, value >> 16 & 255, value >> 24
  if a < 128 then return transparent end
  local best, distance = transparent, math.huge
  for i, c in ipairs(colors) do
    local d = (c[1] - r) ^ 2 + (c[2] - g) ^ 2 + (c[3] - b) ^ 2
    if i - 1 ~= transparent and d < distance then best, distance = i - 1, d end
  end
  return best
end

local function each_image(doc, change)
  local done = {}
  for _, layer in ipairs(all_layers(doc.layers, {})) do
    for _, cel in pairs(layer.cels) do
      if not done[cel.data] then
        done[cel.data] = true
        change(cel.data, cel, layer)
      end
    end
  end
end

function document.change_pixel_format(doc, format)
  local mode = ({ rgb = 0, gray = 1, indexed = 2 })[format]
  if not mode then violation("ChangePixelFormat: format " .. tostring(format), 2) end
  if mode == doc.mode then return end
  edit(doc, function()
    each_image(doc, function(data, cel, layer)
      local list, colors = pixels_of(data.image), doc.palettes[1].colors
      for i, value in ipairs(list) do
        local rgba = value
        if doc.mode == 1 then
          local v = value & 255
          rgba = v | v << 8 | v << 16 | (value >> 8) << 24
        elseif doc.mode == 2 then
          local c = colors[value + 1] or { 0, 0, 0, 255 }
          local clear = value == doc.transparent and not layer.background
          rgba = clear and 0 or (c[1] | c[2] << 8 | c[3] << 16 | c[4] << 24)
        end
        if mode == 2 then
          rgba = nearest(colors, rgba, doc.transparent)
        elseif mode == 1 then
          rgba = (rgba & 255) | (rgba >> 24) << 8
        end
        list[i] = rgba
      end
      models[data.image.id] = nil
      data.image = make_image(data.image.w, data.image.h, mode, mode == 2 and doc.transparent or 0)
      set_pixels(data.image, list)
    end)
    doc.mode = mode
  end)
end

function document.sprite_size(doc, width, height)
  edit(doc, function()
    local kx, ky = width / doc.width, height / doc.height
    local function round(v) return math.floor(v + 0.5) end
    each_image(doc, function(data)
      models[data.image.id] = nil -- whoever holds the old image holds nothing now
      data.image = resized(data.image, math.max(1, round(data.image.w * kx)), math.max(1, round(data.image.h * ky)))
      data.x, data.y = round(data.x * kx), round(data.y * ky)
    end)
    for _, slice in ipairs(doc.slices) do
      local b = slice.bounds
      if b then slice.bounds = { x = round(b.x * kx), y = round(b.y * ky), w = round(b.w * kx), h = round(b.h * ky) } end
    end
    doc.width, doc.height, doc.selection = width, height, nil
  end)
end

return document
