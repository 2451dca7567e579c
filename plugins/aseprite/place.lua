-- What comes back: a new sprite, a new layer, an enlarged copy, a version in the palette. The
-- original's pixels, palette, cels, durations, tags and slices are never changed; a new layer is
-- one named undo step, and so is the filling of every sprite made here.
--
-- A result of one frame: { portrait, small (pictures of the wire), face, seed, restored }. `face`
-- is the square that the portrait answers, { x, y, w, h } in pixels of the area taken. The
-- portrait's alpha is its matte: without its background it stands in an enlarged scene.

local pixels = require "pixels"
local take = require "take"
local place = { COPY_EDGE_MAX = 4096 }

-- Groups changes of one sprite under a name. Changes to a sprite that isn't active would each be
-- a step of their own.
local function transact(sprite, label, change)
  app.sprite = sprite
  app.transaction(label, change)
  app.refresh()
end

-- Fills a sprite just made; a failure closes it again instead of leaving half of it open.
local function fill(sprite, label, change)
  local ok, problem = pcall(transact, sprite, label, change)
  if not ok then
    sprite:close()
    error(problem, 0)
  end
  return sprite
end

local function title_of(target, suffix)
  return app.fs.fileTitle(target.title) .. "-" .. suffix .. ".aseprite"
end

-- Each frame's own result, or that of the frame with the same pixels.
local function result_at(target, results, i)
  return results[i] or results[target.frames[i].same_as or i]
end

local function first_result(target, results)
  for i = 1, #target.frames do
    local result = result_at(target, results, i)
    if result then return result end
  end
  error("There is nothing to insert.", 0)
end

-- Frames 1..n of a new sprite with the taken frames' durations and tag.
local function set_frames(sprite, target)
  for i, frame in ipairs(target.frames) do
    if i > 1 then sprite:newEmptyFrame() end
    -- Aseprite cuts seconds * 1000 to whole milliseconds: a hair more keeps 0.29 s at 290 ms.
    sprite.frames[i].duration = frame.duration + 0.00001
  end
  if target.tag and #target.frames > 1 then
    local tag = sprite:newTag(1, #target.frames)
    tag.name = target.tag
  end
end

-- The portrait with its own background.
function place.whole_image(portrait)
  return pixels.rgb_image { width = portrait.width, height = portrait.height, data = pixels.opaque(portrait.data) }
end

-- The first cel of a new sprite is filled with 0, which an indexed sprite may show as a colour.
local function clear_first_cel(sprite, has_result)
  if not has_result then sprite:deleteCel(sprite.layers[1], 1) end
end

-- A new RGB sprite of the portraits. Returns it.
function place.new_sprite(target, results)
  local first = first_result(target, results).portrait
  local sprite = Sprite(pixels.rgb_spec(first.width, first.height))
  sprite.filename = title_of(target, "portrait")
  return fill(sprite, "Spriteface: portrait", function()
    set_frames(sprite, target)
    local layer = sprite.layers[1]
    layer.name = "Portrait"
    clear_first_cel(sprite, result_at(target, results, 1))
    for i in ipairs(target.frames) do
      local result = result_at(target, results, i)
      if result then sprite:newCel(layer, i, place.whole_image(result.portrait), Point(0, 0)) end
    end
  end)
end

-- The part of the taken picture that a face's square covers.
function place.face_picture(target, i, face)
  return pixels.crop(target.frames[i].picture, face)
end

-- The portrait in the face's own pixels, RGBA: clear where the sprite is, or, in a scene that is
-- nowhere clear, where the portrait's matte is.
local function native_pixels(target, i, result)
  local face, small = result.face, result.small
  local original = pixels.rgba_of(place.face_picture(target, i, face))
  if not pixels.has_clear(original) then
    return pixels.bytes(pixels.fitted(pixels.rgb_image(result.portrait), face.w, face.h))
  end
  local image = pixels.rgb_image(small)
  if small.width ~= face.w or small.height ~= face.h then image = pixels.fitted(image, face.w, face.h) end
  return pixels.keep_alpha(pixels.opaque(pixels.bytes(image)), original)
end

-- Palette indices made clear where RGBA of the same size is less than half there.
local function clear_where(indices, data, transparent)
  local parts, clear = {}, string.char(transparent)
  for i = 1, #indices do
    parts[i] = data:byte(i * 4) < 128 and clear or indices:sub(i, i)
  end
  return table.concat(parts)
end

local function layer_image(target, i, result)
  local face, transparent = result.face, target.transparent
  local data = native_pixels(target, i, result)
  if result.restored and target.mode == ColorMode.INDEXED then
    local r = result.restored
    local indices = pixels.remap(r.data, r.palette, r.transparent, target.frames[i].picture.palette, transparent)
    return pixels.index_image(r.width, r.height, clear_where(indices, data, transparent), transparent)
  end
  if target.mode == ColorMode.RGB then
    return pixels.rgb_image { width = face.w, height = face.h, data = data }
  elseif target.mode == ColorMode.GRAY then
    local spec = ImageSpec { width = face.w, height = face.h, colorMode = ColorMode.GRAY }
    return pixels.image(spec, pixels.rgba_to_gray(data))
  end
  data = pixels.rgba_to_indices(data, target.frames[i].picture.palette, transparent)
  return pixels.index_image(face.w, face.h, data, transparent)
end

-- The portraits in the sprite's own pixels and colours, as a new layer over it. Returns the layer.
function place.new_layer(target, results)
  local _, changed = take.change(target)
  if changed then error(changed .. " The portrait can still go to a new sprite.", 0) end
  local images = {}
  for i in ipairs(target.frames) do -- everything that may fail comes before the first change
    local result = result_at(target, results, i)
    if result then images[i] = layer_image(target, i, result) end
  end
  local sprite, layer = target.sprite, nil
  transact(sprite, "Spriteface: portrait layer", function()
    layer = sprite:newLayer()
    layer.name = "Portrait"
    for i, frame in ipairs(target.frames) do
      if images[i] then
        local face = result_at(target, results, i).face
        sprite:newCel(layer, frame.number, images[i], Point(target.x + face.x, target.y + face.y))
      end
    end
  end)
  return layer
end

-- How many times larger a copy must be for the portrait to keep its pixels, within reason.
function place.enlargement(target, result)
  local wanted = result.portrait.width // math.max(1, result.face.w)
  local most = place.COPY_EDGE_MAX // math.max(target.sprite_width, target.sprite_height)
  return math.max(1, math.min(wanted, most))
end

-- A copy of the sprite, in RGB, enlarged, with the portrait in its place on a new layer. Returns it.
function place.enlarged_copy(target, results)
  local _, changed = take.change(target)
  if changed then error(changed .. " The portrait can still go to a new sprite.", 0) end
  local factor = place.enlargement(target, first_result(target, results))
  local copy = Sprite(target.sprite)
  -- The commands come before the transaction: until 2024 they could not lock a sprite within one.
  local ok, problem = pcall(function()
    app.sprite = copy
    if copy.colorMode ~= ColorMode.RGB then app.command.ChangePixelFormat { ui = false, format = "rgb" } end
    app.command.SpriteSize {
      ui = false, width = target.sprite_width * factor, height = target.sprite_height * factor, method = "nearest",
    }
  end)
  if not ok then
    copy:close()
    error(problem, 0)
  end
  -- A duplicate has the original's file name: saving it must never overwrite the original.
  copy.filename = app.fs.joinPath(app.fs.filePath(target.filename), title_of(target, "x" .. factor))
  return fill(copy, "Spriteface: enlarged copy", function()
    local layer = copy:newLayer()
    layer.name = "Portrait"
    for i, frame in ipairs(target.frames) do
      local result = result_at(target, results, i)
      if result then
        local face = result.face
        local image = pixels.rgb_image(result.portrait)
        if image.width ~= face.w * factor or image.height ~= face.h * factor then
          image = pixels.fitted(image, face.w * factor, face.h * factor)
        end
        copy:newCel(layer, frame.number, image, Point((target.x + face.x) * factor, (target.y + face.y) * factor))
      end
    end
  end)
end

-- A new indexed sprite with the sprite's palette, in its order. Returns it.
function place.palette_sprite(target, results, suffix)
  local first = first_result(target, results).restored
  local colors = target.mode == ColorMode.INDEXED and target.colors or first.palette
  local transparent = target.mode == ColorMode.INDEXED and target.transparent or first.transparent or 0
  local spec = ImageSpec {
    width = first.width, height = first.height, colorMode = ColorMode.INDEXED, transparentColor = transparent,
  }
  spec.colorSpace = ColorSpace { sRGB = true }
  local sprite = Sprite(spec)
  sprite.filename = title_of(target, suffix)
  return fill(sprite, "Spriteface: palette version", function()
    sprite:setPalette(pixels.palette(colors))
    set_frames(sprite, target)
    local layer = sprite.layers[1]
    layer.name = "Portrait"
    clear_first_cel(sprite, result_at(target, results, 1))
    for i in ipairs(target.frames) do
      local result = result_at(target, results, i)
      if result then
        local r = result.restored
        -- What the engine leaves clear is this sprite's transparent index, whatever its number.
        local data = pixels.remap(r.data, r.palette, r.transparent, colors, transparent)
        sprite:newCel(layer, i, pixels.index_image(r.width, r.height, data, transparent), Point(0, 0))
      end
    end
  end)
end

-- Slices named face-1, face-2, ...: boxes are { x, y, w, h } in pixels of the sprite. Numbers go on
-- where earlier ones end; a face that already has its slice gets no second. Returns how many are new.
function place.slices(sprite, boxes)
  local taken, highest = {}, 0
  for i = 1, #sprite.slices do
    local slice = sprite.slices[i]
    highest = math.max(highest, math.tointeger(tonumber(slice.name:match("^face%-(%d+)$") or 0)))
    local b = slice.bounds
    if b then taken[("%d,%d,%d,%d"):format(b.x, b.y, b.width, b.height)] = true end
  end
  local fresh = {}
  for _, box in ipairs(boxes) do
    local rect = Rectangle(box.x, box.y, box.w, box.h):intersect(sprite.bounds)
    local key = ("%d,%d,%d,%d"):format(rect.x, rect.y, rect.width, rect.height)
    if not rect.isEmpty and not taken[key] then
      taken[key] = true
      fresh[#fresh + 1] = rect
    end
  end
  if #fresh > 0 then
    transact(sprite, "Spriteface: find faces", function()
      for i, rect in ipairs(fresh) do
        local slice = sprite:newSlice(rect)
        slice.name = "face-" .. (highest + i)
      end
    end)
  end
  return #fresh
end

return place
