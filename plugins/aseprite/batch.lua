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
--   what=portrait | faces                   portraits (default), or slices of the faces found
-- An error ends the script, so Aseprite exits with 255 and prints the message.

local pixels = require "pixels"
local take = require "take"
local place = require "place"
local privileged = require "privileged"
local batch = {}

local KNOWN = {}
for _, name in ipairs { "face", "slice", "rect", "frame", "frames", "tag", "size", "seed", "faithful", "steps", "as", "scale", "save", "command", "what" } do
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

-- Runs the command; its output. An error of the command is ours.
local function call(context, words, may_fail)
  local all = { table.unpack(context.program) }
  for _, word in ipairs(words) do all[#all + 1] = word end
  local output, status, said = privileged.capture(all, app.fs.joinPath(context.folder, "complaints.txt"))
  if status ~= 0 and not may_fail then
    stop(("the spriteface command failed (%s): %s"):format(tostring(status), (said:gsub("%s+$", ""))))
  end
  return output, status, said
end

local function json_of(output, status, said)
  local ok, report = pcall(json.decode, output)
  if ok and report then return report end
  said = said:gsub("%s+$", "")
  return stop(("the spriteface command failed (%s): %s"):format(tostring(status), said ~= "" and said or "no report"))
end

-- Portraits of several files; the command's report for each, in their order.
local function upscale(context, files, face)
  local words = { "upscale", table.unpack(files) }
  local function add(...) for _, word in ipairs { ... } do words[#words + 1] = word end end
  add("-o", context.output, "--size", context.size, "--seed", context.seed, "--scale", "1", "--phase", "0")
  if context.faithful then add("--faithful", context.faithful) end
  if context.matte then add("--matte") end
  if context.steps then add("--steps", context.steps) end
  add("--face", face, "--json", "--quiet")
  return json_of(call(context, words, true)).results
end

local function result_of(report, file)
  local written = report.written
  local b = json.decode(privileged.read(written[3])).crop_box
  if not b then stop("the report " .. written[3] .. " names no crop_box") end
  return {
    portrait = load_picture(written[1]), file = file, portrait_file = written[1],
    face = { x = math.floor(b[1]), y = math.floor(b[2]), w = math.floor(b[3]), h = math.floor(b[4]) },
  }
end

local function save_frame(context, frame)
  local path = app.fs.joinPath(context.folder, ("frame-%d.png"):format(frame.number))
  save_picture(frame.picture, path)
  return path
end

-- Portraits by frame index. A picture in which no face is found is taken as a face as a whole.
local function portraits(context, target, face)
  local files, index_of, results = {}, {}, {}
  for i, frame in ipairs(target.frames) do
    if not frame.same_as then
      files[#files + 1], index_of[#index_of + 1] = save_frame(context, frame), i
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
      results[index_of[n]] = result_of(report, files[n])
    end
  end
  if next(results) == nil then stop(problem or "no portrait was made") end
  return results
end

-- A result's portrait in the palette of its frame, `times` the size of its face.
local function restored(context, result, times)
  local path = app.fs.joinPath(context.output, app.fs.fileTitle(result.file) .. "-restored.png")
  call(context, { "restore", result.portrait_file, "--sprite", result.file, "--times", times, "--alpha", "sprite", "-o", path })
  local image, colors, transparent = privileged.load_indexed(path)
  if not image then stop("the picture " .. path .. " cannot be read") end
  return {
    width = image.width, height = image.height, format = "index8", data = pixels.bytes(image), palette = pixels.colors(colors),
    transparent = transparent,
  }
end

-- What placing needs beside the portraits, as the engine would have sent it.
local function complete(context, target, results, kind, scale)
  for _, result in pairs(results) do
    local face = result.face
    if kind == "palette" then
      result.restored = restored(context, result, scale)
    elseif kind == "layer" then
      local data = pixels.bytes(pixels.fitted(pixels.rgb_image(result.portrait), face.w, face.h))
      result.small = { width = face.w, height = face.h, format = "rgba8", data = data }
      if target.mode == ColorMode.INDEXED then result.restored = restored(context, result, 1) end
    end
  end
  return results
end

local PLACES = {
  sprite = place.new_sprite,
  layer = function(target, results) return place.new_layer(target, results).sprite end,
  enlarged = place.enlarged_copy,
  palette = function(target, results, scale) return place.palette_sprite(target, results, "x" .. scale) end,
}

-- Does something with a folder of temporary files, which are gone afterwards, also after an error.
local function with_folder(context, action)
  context.folder = privileged.temporary_folder()
  context.output = app.fs.joinPath(context.folder, "out") -- results are named like their inputs
  local ok, outcome = pcall(action)
  for _, folder in ipairs { context.output, context.folder } do
    for _, name in ipairs(app.fs.isDirectory(folder) and app.fs.listFiles(folder) or {}) do
      local path = app.fs.joinPath(folder, name)
      if app.fs.isFile(path) then privileged.remove(path) end
    end
    app.fs.removeDirectory(folder)
  end
  if not ok then error(outcome, 0) end
  return outcome
end

local function make_portraits(context, target, params)
  local kind, scale = params.as or "sprite", whole(params, "scale", 4)
  local put = PLACES[kind] or stop("as=" .. kind .. ": known are sprite, layer, enlarged and palette")
  context.size, context.seed = whole(params, "size", 1024), whole(params, "seed", 0)
  context.faithful, context.steps = number(params, "faithful"), whole(params, "steps")
  context.matte = kind == "layer" or kind == "enlarged"
  local face = box(params, "face")
  local results = with_folder(context, function()
    return complete(context, target, portraits(context, target, face), kind, scale)
  end)
  app.sprite = target.sprite
  return put(target, results, scale), kind
end

-- Slices of the faces in the first frame taken.
local function find_faces(context, target)
  local boxes = with_folder(context, function()
    local file = save_frame(context, target.frames[1])
    local report = json_of(call(context, { "extract", file, "--json", "--quiet", "--scale", "1", "--phase", "0", "-o", context.output }, true))
    local found = {}
    for i, face in ipairs(report[1] and report[1].faces or {}) do
      local c = face.crop
      found[i] = { x = math.floor(c[1]) + target.x, y = math.floor(c[2]) + target.y, w = math.floor(c[3]), h = math.floor(c[4]) }
    end
    return found
  end)
  app.sprite = target.sprite
  return place.slices(target.sprite, boxes)
end

local WAYS = { portrait = "-portrait.aseprite", faces = "-faces.aseprite" }

-- options: folder (the extension's), params, what ("portrait", "faces"; params.what says otherwise).
-- Returns the name of the file saved.
function batch.run(options)
  local params = options.params
  local what = params.what or options.what
  if not WAYS[what] then stop("what=" .. what .. ": only portrait and faces have a batch mode") end
  for name in pairs(params) do
    if not KNOWN[name] then stop("unknown parameter " .. name) end
  end
  local sprite = app.sprite or stop("no sprite: give a file before --script, and check its name")
  local source = sprite.filename
  local target = target_of(sprite, params)
  local save = params.save or app.fs.filePathAndTitle(source) .. WAYS[what]
  if save == source then stop("save=" .. save .. " would overwrite the original") end
  if what == "portrait" and #target.frames > 1 and app.fs.fileExtension(save):lower() == "png" then
    stop("save=" .. save .. ": a .png holds one frame; use .aseprite or .gif")
  end
  local context = { program = program(options.folder, params) }
  local report = { source = source, saved = save, frames = #target.frames, taken = target.label }
  local made
  if what == "faces" then
    report.faces = find_faces(context, target)
    made = sprite
  else
    made, report.as = make_portraits(context, target, params)
  end
  privileged.save_sprite(made, save)
  print(json.encode(report))
  return save
end

return batch
