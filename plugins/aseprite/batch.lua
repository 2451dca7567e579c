-- The headless path: no dialogs, timers or incoming WebSocket messages exist in `aseprite -b`, so
-- the pixels go to the `spriteface` command in files and come back in files. What is taken and how
-- it comes back is the same code as in the editor.
--
-- Parameters (--script-param name=value), all optional:
--   face=X,Y,W,H   the face's box in the sprite (brow to chin, cheek to cheek)
--   slice=NAME     take this slice          rect=X,Y,W,H   take this area
--   frame=N        from 1                   tag=NAME       all its frames     frames=all
--   size, seed, faithful, steps             as in `spriteface upscale`
--   as=sprite | layer | enlarged | palette  what comes back; palette with scale=2 | 4 | 8
--   save=FILE      where it is saved        command=WORDS  how to run spriteface
-- An error ends the script, so Aseprite exits with 255 and prints the message.

local pixels = require "pixels"
local take = require "take"
local place = require "place"
local privileged = require "privileged"
local batch = {}

local KNOWN = {}
for _, name in ipairs { "face", "slice", "rect", "frame", "frames", "tag", "size", "seed", "faithful", "steps", "as", "scale", "save", "command" } do
  KNOWN[name] = true
end

local function stop(message)
  error("spriteface: " .. message, 0)
end

local function number(params, name, default)
  if params[name] == nil then return default end
  return tonumber(params[name]) or stop(("%s=%s is not a number"):format(name, params[name]))
end

local function whole(params, name, default)
  local value = number(params, name, default)
  return value and (math.tointeger(value) or stop(("%s=%s is not a whole number"):format(name, params[name])))
end

local function box(params, name)
  if not params[name] then return nil end
  local x, y, w, h = params[name]:match("^(%-?%d+),(%-?%d+),(%d+),(%d+)$")
  if not x then stop(("%s=%s is not X,Y,W,H"):format(name, params[name])) end
  return Rectangle(tonumber(x), tonumber(y), tonumber(w), tonumber(h))
end

local function target_of(sprite, params)
  local options = { sprite = sprite, slice = params.slice, tag = params.tag, kind = params.slice and "slice" or "sprite", rect = box(params, "rect") }
  if params.frames == "all" then
    options.numbers = {}
    for i = 1, #sprite.frames do options.numbers[i] = i end
  elseif params.frames then
    stop("frames=" .. params.frames .. ": only frames=all is known")
  elseif not params.tag then
    local wanted = whole(params, "frame", 1)
    if wanted < 1 or wanted > #sprite.frames then stop(("frame=%d: the sprite has %d"):format(wanted, #sprite.frames)) end
    options.numbers = { wanted }
  end
  local target, problem = take.target(options)
  return target or stop(problem)
end

-- The words before `upscale`: given, or those of the launch file without its `serve`, or the plain command.
local function program(folder, params)
  local words = {}
  if params.command then
    for word in params.command:gmatch("%S+") do words[#words + 1] = word end
    return words
  end
  local launch = privileged.launch_file(folder)
  for _, word in ipairs(launch and launch.command or { "spriteface" }) do
    if word == "serve" then break end
    words[#words + 1] = word
  end
  return words
end

-- A taken picture as a file. Where nothing is clear, an indexed file would lose an index to transparency.
local function save_picture(picture, path)
  local image, palette
  if picture.format == "index8" and picture.transparent then
    image = pixels.index_image(picture.width, picture.height, picture.data, picture.transparent)
    palette = pixels.palette(picture.palette)
  else
    image = pixels.rgb_image { width = picture.width, height = picture.height, data = pixels.rgba_of(picture) }
  end
  privileged.save_image(image, path, palette)
end

local function load_picture(path)
  local image = privileged.load_image(path) or stop("the portrait " .. path .. " cannot be read")
  local data = pixels.bytes(image)
  if image.colorMode == ColorMode.GRAY then data = pixels.gray_to_rgba(data) end
  return { width = image.width, height = image.height, format = "rgba8", data = data }
end

-- Runs the command over several files; its report for each, in their order.
local function upscale(context, files, face)
  local words = { table.unpack(context.program) }
  local function add(...) for _, word in ipairs { ... } do words[#words + 1] = word end end
  add("upscale")
  add(table.unpack(files))
  add("-o", context.output, "--size", context.size, "--seed", context.seed, "--scale", "1", "--phase", "0")
  if context.faithful then add("--faithful", context.faithful) end
  if context.matte then add("--matte") end
  if context.steps then add("--steps", context.steps) end
  add("--face", face, "--json", "--quiet")
  local output, status, said = privileged.capture(words, app.fs.joinPath(context.folder, "complaints.txt"))
  local ok, report = pcall(json.decode, output)
  if not ok or not report or not report.results then
    said = said:gsub("%s+$", "")
    stop(("the spriteface command failed (%s): %s"):format(tostring(status), said ~= "" and said or "no report"))
  end
  return report.results
end

local function result_of(report)
  local written = report.written
  local sidecar = json.decode(privileged.read(written[3]))
  local b = sidecar.crop_box
  if not b then stop("the report " .. written[3] .. " names no crop_box") end
  return {
    portrait = load_picture(written[1]),
    face = { x = math.floor(b[1]), y = math.floor(b[2]), w = math.floor(b[3]), h = math.floor(b[4]) },
  }
end

-- Portraits by frame index. A picture in which no face is found is taken as a face as a whole.
local function portraits(context, target, face)
  local files, index_of, results = {}, {}, {}
  for i, frame in ipairs(target.frames) do
    if not frame.same_as then
      local path = app.fs.joinPath(context.folder, ("frame-%d.png"):format(frame.number))
      save_picture(frame.picture, path)
      files[#files + 1], index_of[#index_of + 1] = path, i
      table.insert(context.junk, path)
    end
  end
  local wanted = face and ("%d,%d,%d,%d"):format(face.x - target.x, face.y - target.y, face.width, face.height) or "1"
  local problem
  for n, report in ipairs(upscale(context, files, wanted)) do
    if report.error and not face then
      report = upscale(context, { files[n] }, ("0,0,%d,%d"):format(target.width, target.height))[1]
    end
    if report.error then
      problem = report.error
    else
      for i = 1, #report.written do table.insert(context.junk, report.written[i]) end
      results[index_of[n]] = result_of(report)
    end
  end
  if next(results) == nil then stop(problem or "no portrait was made") end
  return results
end

local function used_colors(picture)
  local colors, seen = { { 0, 0, 0, 0 } }, {}
  for pixel in pixels.rgba_of(picture):gmatch("....") do
    if pixel:byte(4) >= 128 and not seen[pixel] then
      seen[pixel] = true
      colors[#colors + 1] = { pixel:byte(1), pixel:byte(2), pixel:byte(3), 255 }
      if #colors > 256 then stop("as=palette: the area has more than 255 colours; use an indexed sprite") end
    end
  end
  return colors
end

local function fit_pictures(target, results, scale)
  for i, result in pairs(results) do
    local face, image = result.face, pixels.rgb_image(result.portrait)
    local picture = target.frames[i].picture
    local w, h = face.w * (scale or 1), face.h * (scale or 1)
    local data = pixels.bytes(pixels.fitted(image, w, h))
    result.small = { width = w, height = h, format = "rgba8", data = data }
    if scale then
      local colors = picture.palette or used_colors(picture)
      local clear = picture.palette and target.transparent or 0
      result.restored = {
        width = w, height = h, format = "index8", palette = colors, transparent = clear,
        data = pixels.rgba_to_indices(data, colors, clear),
      }
    end
  end
end

local function put(kind, target, results, scale)
  if kind == "layer" then
    fit_pictures(target, results)
    return place.new_layer(target, results).sprite
  elseif kind == "enlarged" then
    return place.enlarged_copy(target, results)
  elseif kind == "palette" then
    fit_pictures(target, results, scale)
    return place.palette_sprite(target, results, "x" .. scale)
  elseif kind == "sprite" then
    return place.new_sprite(target, results)
  end
  return stop("as=" .. kind .. ": known are sprite, layer, enlarged and palette")
end

-- options: folder (the extension's), params, what. Returns what was saved.
function batch.run(options)
  if options.what ~= "portrait" then stop("only the portrait command has a batch mode") end
  local params = options.params
  for name in pairs(params) do
    if not KNOWN[name] then stop("unknown parameter " .. name) end
  end
  local sprite = app.sprite or stop("no sprite: give a file before --script, and check its name")
  local target = target_of(sprite, params)
  local kind, scale = params.as or "sprite", whole(params, "scale", 4)
  local save = params.save or app.fs.filePathAndTitle(sprite.filename) .. "-portrait.aseprite"
  if save == sprite.filename then stop("save=" .. save .. " would overwrite the original") end
  if #target.frames > 1 and app.fs.fileExtension(save):lower() == "png" then
    stop("save=" .. save .. ": a .png holds one frame; use .aseprite or .gif")
  end
  local context = {
    program = program(options.folder, params), junk = {},
    size = whole(params, "size", 1024), seed = whole(params, "seed", 0), faithful = number(params, "faithful"),
    steps = whole(params, "steps"), matte = kind == "layer" or kind == "enlarged",
  }
  context.folder = privileged.temporary_folder()
  context.output = app.fs.joinPath(context.folder, "out") -- results are named like their inputs
  local ok, results = pcall(portraits, context, target, box(params, "face"))
  for _, path in ipairs(context.junk) do privileged.remove(path) end
  app.fs.removeDirectory(context.output)
  app.fs.removeDirectory(context.folder)
  if not ok then error(results, 0) end
  local made = put(kind, target, results, scale)
  privileged.save_sprite(made, save)
  print(json.encode { source = sprite.filename, saved = save, frames = #target.frames, as = kind, taken = target.label })
  return save
end

return batch
