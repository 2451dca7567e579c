-- What is asked of the engine for a target: one job for each frame that differs, one after another.
--
-- Callbacks: on_progress(fraction, text, preview), on_finished(results, notes), on_failed(problem).
-- Each call returns a handle with cancel().

local pixels = require "pixels"
local wire = require "wire"
local jobs = {}

local STAGES = {
  waiting = "waiting for another job", loading = "loading the generator", finding = "finding the face",
  reading = "reading the face", starting = "starting", searching = "searching", rendering = "rendering",
  restoring = "bringing back the palette", done = "done",
}

function jobs.stage_text(header)
  local stage = tostring(header.stage or "")
  local position = tonumber(header.position) or 0
  if stage == "waiting" and position > 0 then
    return ("waiting, %d before"):format(math.floor(position))
  end
  return STAGES[stage] or stage
end

-- Runs steps one after another. A step is { header, images, on_result }; `forgive` holds error
-- codes that only cost their own step.
local function in_turn(client, steps, forgive, callbacks)
  local handle = { at = 0 }
  local notes, last_problem, good = {}, nil, 0
  local function next_step()
    handle.at = handle.at + 1
    local step = steps[handle.at]
    if not step then
      if good == 0 and last_problem then return callbacks.on_failed(last_problem) end
      return callbacks.on_finished(notes)
    end
    local ended = false
    local job = client:submit(step.header, step.images, {
      on_progress = function(header, preview)
        local fraction = (handle.at - 1 + (tonumber(header.fraction) or 0)) / #steps
        callbacks.on_progress(fraction, jobs.stage_text(header), preview)
      end,
      on_result = function(header, images)
        good = good + 1
        step.on_result(header, images)
      end,
      on_done = next_step,
      on_error = function(problem)
        ended = true
        handle.job = nil
        if forgive[problem.code] then
          last_problem = problem
          notes[#notes + 1] = step.name .. ": " .. problem.message
          return next_step()
        end
        callbacks.on_failed(problem)
      end,
    })
    if not ended then handle.job = job end
  end
  function handle.cancel()
    if handle.job then client:cancel(handle.job) end
  end
  next_step()
  return handle
end

local function box_of(list)
  return {
    x = math.floor(list[1]), y = math.floor(list[2]), w = wire.whole(list[3], "width"), h = wire.whole(list[4], "height"),
  }
end
jobs.box_of = box_of

-- Portraits of a target's frames. options: whole (the area is the face), size, seed, faithful (0..1), steps.
-- on_finished gets results by frame index.
function jobs.portraits(client, target, options, callbacks)
  local results, steps = {}, {}
  -- The pixels are native: no grid is looked for.
  local extract = { scale = { 1, 1 }, phase = { 0, 0 }, limit = 1 }
  if options.whole then extract.detector = "whole" end
  -- The matte comes along as alpha; what goes to a sprite of its own is made opaque again.
  local portrait = { size = options.size, seed = options.seed, faithful = options.faithful, steps = options.steps, matte = true }
  for i, frame in ipairs(target.frames) do
    if not frame.same_as then
      steps[#steps + 1] = {
        name = "frame " .. frame.number,
        header = { kind = "portrait", extract = extract, portrait = portrait },
        images = { frame.picture },
        on_result = function(header, images)
          results[i] = {
            portrait = images.portrait, small = images.small, face = box_of(header.face.crop),
            seed = header.seed and math.floor(header.seed), generator = header.generator, likeness_db = header.lr_psnr_db,
          }
        end,
      }
    end
  end
  return in_turn(client, steps, #steps > 1 and { no_face = true } or {}, {
    on_progress = callbacks.on_progress,
    on_finished = function(notes) callbacks.on_finished(results, notes) end,
    on_failed = callbacks.on_failed,
  })
end

-- The palette version of portraits already made: sets `restored` in each result. `scale` times the
-- face's size in the sprite; 1 for a layer in the sprite itself.
function jobs.restore(client, target, results, options, callbacks)
  local steps = {}
  for i, result in pairs(results) do
    local source = pixels.crop(target.frames[i].picture, result.face)
    source.name = "source"
    local picture = { name = "image", width = result.portrait.width, height = result.portrait.height, format = "rgba8", data = pixels.opaque(result.portrait.data) }
    steps[#steps + 1] = {
      index = i, name = "frame " .. target.frames[i].number,
      header = {
        kind = "restore",
        output = {
          width = result.face.w * options.scale, height = result.face.h * options.scale, dither = options.dither or "none", keep_alpha = true,
        },
      },
      images = { picture, source },
      on_result = function(_, images) result.restored = images.restored end,
    }
  end
  table.sort(steps, function(a, b) return a.index < b.index end)
  return in_turn(client, steps, {}, {
    on_progress = callbacks.on_progress,
    on_finished = function() callbacks.on_finished(results) end,
    on_failed = callbacks.on_failed,
  })
end

-- Any picture in a given palette. options: colors, transparent, width, height, dither.
function jobs.in_palette(client, picture, options, callbacks)
  local result
  return in_turn(client, { {
    name = "picture",
    header = {
      kind = "restore",
      output = {
        colors = options.colors, transparent = options.transparent, width = options.width, height = options.height,
        dither = options.dither, keep_alpha = true,
      },
    },
    images = { { name = "image", width = picture.width, height = picture.height, format = "rgba8", data = pixels.rgba_of(picture) } },
    on_result = function(header, images) result = { restored = images.restored, mean_delta_e = header.mean_delta_e } end,
  } }, {}, {
    on_progress = callbacks.on_progress,
    on_finished = function() callbacks.on_finished(result) end,
    on_failed = callbacks.on_failed,
  })
end

-- The faces in a target's first frame: boxes { x, y, w, h } in pixels of the sprite.
function jobs.find(client, target, callbacks)
  local boxes = {}
  return in_turn(client, { {
    name = "picture",
    header = { kind = "find", extract = { scale = { 1, 1 }, phase = { 0, 0 } } },
    images = { target.frames[1].picture },
    on_result = function(header)
      for i, face in ipairs(header.faces) do
        local box = box_of(face.crop)
        box.x, box.y = box.x + target.x, box.y + target.y
        boxes[i] = box
      end
    end,
  } }, {}, {
    on_progress = callbacks.on_progress,
    on_finished = function() callbacks.on_finished(boxes) end,
    on_failed = callbacks.on_failed,
  })
end

return jobs
