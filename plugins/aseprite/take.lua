-- What is taken from a sprite: an area (selection, else active slice, else active cel, else the
-- whole sprite), of this frame, the frames selected in the timeline, or a tag. Pixels are copied at
-- once, so whatever happens to the sprite during a job cannot disturb it.

local pixels = require "pixels"
local take = { FRAMES_MAX = 64 }

take.LABELS = { selection = "selection", slice = "slice", cel = "cel", sprite = "whole sprite" }

-- Whether a sprite is still open. Any use of a closed one raises.
function take.is_open(sprite)
  for i = 1, #app.sprites do
    if app.sprites[i] == sprite then return true end
  end
  return false
end

function take.title(sprite)
  local name = app.fs.fileName(sprite.filename)
  return name ~= "" and name or "Sprite"
end

local function selected_slice(sprite, name)
  if name then
    for i = 1, #sprite.slices do
      if sprite.slices[i].name == name then return sprite.slices[i] end
    end
    return nil
  end
  for _, slice in ipairs(app.range.slices) do
    if slice.sprite == sprite and slice.bounds then return slice end
  end
  return nil
end

-- A slice popup opens for a slice that need not be selected, and doesn't say which one it is.
local function only_slice(sprite)
  return #sprite.slices == 1 and sprite.slices[1].bounds and sprite.slices[1] or nil
end

local function usable_cel(sprite)
  local cel = app.cel
  if not cel or cel.sprite ~= sprite or cel.layer.isTilemap or cel.layer.isReference then return nil end
  return cel
end

-- The area meant by `kind`, or by the first that there is: kind, rectangle, what it belongs to.
local function area(sprite, kind, slice_name)
  local selection = sprite.selection
  if (not kind or kind == "selection") and not selection.isEmpty then
    local rect = selection.bounds:intersect(sprite.bounds)
    if not rect.isEmpty then return "selection", rect end
  end
  if not kind or kind == "slice" then
    local slice = selected_slice(sprite, slice_name)
    if kind == "slice" and not slice_name then slice = slice or only_slice(sprite) end
    local rect = slice and slice.bounds and slice.bounds:intersect(sprite.bounds)
    if rect and not rect.isEmpty then return "slice", rect, slice.name end
  end
  if not kind or kind == "cel" then
    local cel = usable_cel(sprite)
    if cel then return "cel", cel.bounds, cel.layer end
  end
  if not kind or kind == "sprite" then return "sprite", sprite.bounds end
  return nil
end

-- The kinds of frame choice that make sense now: "this", maybe "range", maybe "tag".
function take.frame_choices(sprite)
  local choices = { "this" }
  if app.range.sprite == sprite and #app.range.frames > 1 then choices[#choices + 1] = "range" end
  local tag = app.tag
  if tag and tag.sprite == sprite and tag.frames > 1 then choices[#choices + 1] = "tag" end
  return choices
end

local function named_tag(sprite, name)
  for i = 1, #sprite.tags do
    if sprite.tags[i].name == name then return sprite.tags[i] end
  end
  return nil
end

-- Frame numbers of a choice ("this", "range", "tag", or a tag's own name with `tag_name`), and the tag's name.
local function frame_numbers(sprite, choice, tag_name)
  local numbers = {}
  if tag_name or choice == "tag" then
    local tag
    if tag_name then tag = named_tag(sprite, tag_name) else tag = app.tag end
    if not tag then return nil, "There is no tag " .. (tag_name or "here") .. "." end
    for number = tag.fromFrame.frameNumber, tag.toFrame.frameNumber do numbers[#numbers + 1] = number end
    return numbers, nil, tag.name
  elseif choice == "range" then
    local frames = app.range.frames
    for i = 1, #frames do numbers[i] = frames[i].frameNumber end
    table.sort(numbers)
    return numbers
  end
  return { app.frame.frameNumber }
end

-- The image of an area at a frame: of one layer, or of all that is visible.
local function image_at(sprite, number, rect, layer)
  local spec = sprite.spec
  local whole
  if layer then
    spec.width, spec.height = rect.width, rect.height
    whole = Image(spec)
    local cel = layer:cel(number)
    if cel then
      whole:drawImage(cel.image, Point(cel.bounds.x - rect.x, cel.bounds.y - rect.y))
    end
    return whole
  end
  whole = Image(spec)
  whole:drawSprite(sprite, number, Point(0, 0))
  if rect == sprite.bounds then return whole end
  return Image(whole, rect)
end

-- Where an uneven selection has holes, the picture is clear.
local function blank_outside(image, selection, rect, clear)
  local size, parts = #clear, {}
  local bytes = pixels.bytes(image)
  local holes = false
  for y = 0, rect.height - 1 do
    for x = 0, rect.width - 1 do
      local at = (y * rect.width + x) * size
      local inside = selection:contains(rect.x + x, rect.y + y)
      holes = holes or not inside
      parts[#parts + 1] = inside and bytes:sub(at + 1, at + size) or clear
    end
  end
  if not holes then return image end
  return pixels.image(image.spec, table.concat(parts))
end

local CLEAR_SELECTION_MAX = 512 * 512 -- px; a larger selection is taken as its rectangle

-- An image of the sprite's colour mode as a picture of the wire.
local function picture_of(image, colors, transparent)
  local data = pixels.bytes(image)
  local picture = { name = "sprite", width = image.width, height = image.height, format = "rgba8", data = data }
  if image.colorMode == ColorMode.INDEXED then
    picture.format, picture.palette, picture.transparent = "index8", colors, transparent
  elseif image.colorMode == ColorMode.GRAY then
    picture.data = pixels.gray_to_rgba(data)
  end
  return picture
end

-- An index beyond the palette can stand in an indexed image (it shows as nothing, or black).
local function within(picture)
  if picture.format ~= "index8" then return picture end
  local limit = #picture.palette
  if limit < 256 then
    picture.data = picture.data:gsub(".", function(c)
      if c:byte() >= limit then return string.char(picture.transparent or 0) end
    end)
  end
  return picture
end

local function union_of_cels(layer, numbers)
  local rect
  for _, number in ipairs(numbers) do
    local cel = layer:cel(number)
    if cel then rect = rect and rect:union(cel.bounds) or cel.bounds end
  end
  return rect
end

-- Takes an area. Options: sprite, kind (nil: the first of selection, slice, cel, sprite), slice
-- (its name), rect (own rectangle), frames ("this", "range", "tag"), tag (its name), numbers (of frames).
-- Returns a target, or nil and one sentence.
--
-- A target: sprite, title, kind, label, x, y, width, height, mode, colors, transparent (index,
-- whether or not it shows as clear), tag, frames = { { number, duration, picture, same_as } }.
function take.target(options)
  local sprite = options.sprite or app.sprite
  if not sprite then return nil, "No sprite is open." end
  local numbers, problem, tag = options.numbers, nil, nil
  if not numbers then numbers, problem, tag = frame_numbers(sprite, options.frames or "this", options.tag) end
  if not numbers then return nil, problem end
  if #numbers > take.FRAMES_MAX then
    return nil, ("%d frames are more than the %d of one job."):format(#numbers, take.FRAMES_MAX)
  end

  local kind, rect, belongs
  if options.rect then
    kind, rect = "selection", options.rect:intersect(sprite.bounds)
    if rect.isEmpty then return nil, "The area lies outside the sprite." end
  else
    kind, rect, belongs = area(sprite, options.kind, options.slice)
    if not kind then
      if options.slice then return nil, "There is no slice named " .. options.slice .. "." end
      if options.kind == "slice" then return nil, "Click the slice once, so that it is selected, then try again." end
      return nil, "There is no " .. (options.kind or "area") .. " to take."
    end
  end
  local layer = kind == "cel" and belongs or nil
  if layer then
    rect = union_of_cels(layer, numbers)
    if not rect then return nil, "The layer is empty in these frames." end
  end

  local mode = sprite.colorMode
  local background = layer and layer.isBackground or not layer and sprite.backgroundLayer ~= nil and sprite.backgroundLayer.isVisible
  local target = {
    sprite = sprite, title = take.title(sprite), filename = sprite.filename, kind = kind, slice = kind == "slice" and belongs or nil,
    x = rect.x, y = rect.y, width = rect.width, height = rect.height,
    sprite_width = sprite.width, sprite_height = sprite.height,
    mode = mode, transparent = sprite.transparentColor, tag = tag, frames = {},
  }
  local selection = kind == "selection" and not options.rect and rect.width * rect.height <= CLEAR_SELECTION_MAX and sprite.selection
  local clear = ({ [ColorMode.RGB] = "\0\0\0\0", [ColorMode.GRAY] = "\0\0", [ColorMode.INDEXED] = string.char(sprite.transparentColor) })[mode]
  local seen = {}
  for i, number in ipairs(numbers) do
    local image = image_at(sprite, number, rect, layer)
    if selection and not background then image = blank_outside(image, selection, rect, clear) end
    local colors = mode == ColorMode.INDEXED and pixels.colors(pixels.palette_at(sprite, number)) or nil
    local picture = within(picture_of(image, colors, not background and sprite.transparentColor or nil))
    local same = seen[picture.data]
    seen[picture.data] = same or i
    target.frames[i] = { number = number, duration = sprite.frames[number].duration, picture = picture, same_as = same }
  end
  target.colors = target.frames[1].picture.palette
  target.label = take.describe(target)
  return target
end

function take.describe(target)
  local what = take.LABELS[target.kind]
  if target.slice and target.slice ~= "" then what = what .. " " .. target.slice end
  local frames = "frame " .. target.frames[1].number
  if #target.frames > 1 then
    frames = #target.frames .. " frames" .. (target.tag and " of " .. target.tag or "")
  end
  return ("%s: %s, %dx%d, %s"):format(target.title, what, target.width, target.height, frames)
end

-- One sentence where the sprite is no longer what was taken, or nil: "closed", "resized", "mode".
function take.change(target)
  if not take.is_open(target.sprite) then return "closed", target.title .. " was closed." end
  if target.sprite.width ~= target.sprite_width or target.sprite.height ~= target.sprite_height then
    return "resized", target.title .. " has another size now."
  end
  if target.sprite.colorMode ~= target.mode then return "mode", target.title .. " has another colour mode now." end
  if target.frames[#target.frames].number > #target.sprite.frames then
    return "frames", target.title .. " has fewer frames now."
  end
  return nil
end

return take
