-- The dialog of "Portrait of face...": what is taken, a live preview, progress, Cancel, and what
-- comes back. It is not modal: the sprite can be edited, or closed, while a portrait is made.

local pixels = require "pixels"
local take = require "take"
local place = require "place"
local jobs = require "jobs"
local panel = require "panel"
local portrait = {}

local CANVAS = 256 -- px
local BAR = 6 -- px: the progress bar's height
local INSET = 64 -- px: the taken pixels beside the portrait
local BACK = { r = 48, g = 48, b = 52 }

-- What can come back: label, and how. `scale` asks the engine for the palette version first.
local RESULTS = {
  { label = "New sprite", name = "sprite" },
  { label = "New layer of this sprite", name = "layer" },
  { label = "Enlarged copy of this sprite", name = "enlarged" },
  { label = "In the palette, x2", name = "palette", scale = 2 },
  { label = "In the palette, x4", name = "palette", scale = 4 },
  { label = "In the palette, x8", name = "palette", scale = 8 },
}
portrait.RESULTS = RESULTS
local SIZES = { "256", "512", "1024" }
local WHOLE, FIND = "The whole area", "Look for it in the area"
local FRAMES = { this = "This frame", range = "Selected frames", tag = "The tag's frames" }

local function labels(list)
  local out = {}
  for i, item in ipairs(list) do out[i] = item.label end
  return out
end

local function by_label(label)
  for _, item in ipairs(RESULTS) do
    if item.label == label then return item end
  end
  return RESULTS[1]
end

local function contains(list, value)
  for _, item in ipairs(list) do if item == value then return true end end
  return false
end

-- painting ------------------------------------------------------------------------------------------

local function draw_into(context, image, x, y, edge)
  local longest = math.max(image.width, image.height)
  local w, h = math.max(1, edge * image.width // longest), math.max(1, edge * image.height // longest)
  context:drawImage(image, Rectangle(0, 0, image.width, image.height),
    Rectangle(x + (edge - w) // 2, y + (edge - h) // 2, w, h))
end

local function paint(view, context)
  context.color = Color(BACK)
  context:fillRect(Rectangle(0, 0, context.width, context.height))
  local edge = math.min(context.width, context.height - BAR)
  local x = (context.width - edge) // 2
  if view.preview then
    draw_into(context, view.preview, x, 0, edge)
    draw_into(context, view.original, x, edge - INSET, INSET)
  else
    draw_into(context, view.original, x, 0, edge)
  end
  if view.fraction then
    context.color = Color { r = 90, g = 170, b = 90 }
    context:fillRect(Rectangle(0, context.height - BAR, math.floor(context.width * view.fraction), BAR))
  end
end

-- inserting -----------------------------------------------------------------------------------------

-- Puts results where the person wants them; returns a sentence. Raises one where it cannot.
local function insert(result, target, results)
  if result.name == "layer" then
    place.new_layer(target, results)
    return "Inserted as a new layer of " .. target.title .. "."
  elseif result.name == "enlarged" then
    place.enlarged_copy(target, results)
    return "Inserted into an enlarged copy; " .. target.title .. " is unchanged."
  elseif result.name == "palette" then
    place.palette_sprite(target, results, "x" .. result.scale)
    return "Inserted as a new sprite in the palette."
  end
  place.new_sprite(target, results)
  return "Inserted as a new sprite."
end
portrait.insert = insert

-- the dialog ----------------------------------------------------------------------------------------

local current -- one at a time

-- context: folder, preferences. kind: nil, "slice" or "cel" (from a popup).
function portrait.open(context, kind)
  if current and current.running then
    app.alert { title = "Spriteface", text = "A portrait is being made: wait for it or cancel it first." }
    return nil
  end
  if current then current.panel:close() end

  local target, problem = take.target { kind = kind }
  if not target then
    app.alert { title = "Spriteface", text = problem }
    return nil
  end

  local saved = context.preferences
  local self = { target = target, kind = kind, view = { original = nil } }
  local box = panel.new {
    folder = context.folder, preferences = saved, title = "Spriteface: portrait",
    on_close = function()
      self.running = false
      if current == self then current = nil end
    end,
  }
  self.panel = box
  local dialog = box.dialog

  local function show_original()
    local picture = self.target.frames[1].picture
    self.view.original = pixels.rgb_image { width = picture.width, height = picture.height, data = pixels.rgba_of(picture) }
  end
  show_original()

  local function forget_results()
    self.results, self.view.preview, self.view.fraction = nil, nil, nil
    box:enable("insert", false)
  end

  local function set_running(running)
    self.running = running
    box:enable("make", not running)
    box:enable("cancel", running)
    box:enable("again", not running)
    box:enable("insert", not running and self.results ~= nil)
    if not running then self.view.fraction = nil end
    dialog:repaint()
  end

  local function on_progress(fraction, text, preview)
    self.view.fraction = fraction
    if preview then self.view.preview = pixels.rgb_image(preview) end
    box:say(("%s... %d%%"):format(text, math.floor(fraction * 100 + 0.5)))
    dialog:repaint()
  end

  local function on_failed(trouble)
    self.handle = nil
    set_running(false)
    if panel.is_connection(trouble) then return end
    if trouble.code == "cancelled" then
      self.view.preview = self.results and self.view.preview or nil
      box:say("Cancelled.")
      return dialog:repaint()
    end
    box:complain(trouble)
    if trouble.code == "no_face" and dialog.data.face == FIND then
      box:offer("Take the whole area", function()
        dialog:modify { id = "face", option = WHOLE }
        self.make()
      end)
    end
  end

  local function first_portrait(results)
    for i = 1, #self.target.frames do if results[i] then return results[i] end end
  end

  function self.make()
    local data = dialog.data
    saved.size, saved.faithful, saved.result = data.size, data.faithful, data.result
    forget_results()
    box:offer(nil)
    set_running(true)
    box:say("Asking the engine...")
    local handle = jobs.portraits(box.client, self.target, {
      whole = data.face == WHOLE, size = math.tointeger(tonumber(data.size)), seed = math.max(0, math.floor(data.seed)),
      faithful = data.faithful / 100, steps = saved.steps, -- no widget sets it: for experiments
    }, {
      on_progress = on_progress,
      on_finished = function(results, notes)
        self.handle, self.results = nil, results
        local first = first_portrait(results)
        self.view.preview = place.whole_image(first.portrait)
        set_running(false)
        local text = "Ready: insert it, or make another with the next seed."
        if #notes > 0 then text = "Ready, but " .. notes[1] end
        box:say(text)
      end,
      on_failed = on_failed,
    })
    if self.running then self.handle = handle end
  end

  local function put(result)
    local ok, outcome = pcall(insert, result, self.target, self.results)
    set_running(false)
    box:say(tostring(outcome))
    return ok
  end

  function self.insert()
    local result = by_label(dialog.data.result)
    saved.result = result.label
    local wanted = result.scale or (result.name == "layer" and self.target.mode == ColorMode.INDEXED and 1) or nil
    if not wanted then return put(result) end
    set_running(true)
    box:say("Bringing back the palette...")
    local handle = jobs.restore(box.client, self.target, self.results, { scale = wanted }, {
      on_progress = function(fraction, text)
        self.view.fraction = fraction
        box:say(text .. "...")
        dialog:repaint()
      end,
      on_finished = function()
        self.handle = nil
        put(result)
      end,
      on_failed = on_failed,
    })
    if self.running then self.handle = handle end
  end

  function self.cancel()
    box:enable("cancel", false)
    box:say("Cancelling...")
    if self.handle then self.handle.cancel() end
  end

  -- Takes the pixels anew: another frame choice, or the sprite as it is now.
  function self.take_again()
    local choice = "this"
    if self.choices[2] then
      for name, label in pairs(FRAMES) do if label == dialog.data.frames then choice = name end end
    end
    local again, trouble = take.target { kind = self.kind, frames = choice }
    if not again then return box:say(trouble) end
    self.target = again
    dialog:modify { id = "from", text = again.label }
    forget_results()
    show_original()
    box:say("Taken anew.")
    dialog:repaint()
  end

  self.choices = take.frame_choices(target.sprite)
  local exact = target.kind == "slice" or target.kind == "selection"
  dialog:label { id = "from", text = target.label }
  dialog:canvas {
    id = "canvas", width = CANVAS, height = CANVAS + BAR, hexpand = false, vexpand = false,
    onpaint = function(event) paint(self.view, event.context) end,
  }
  box:add_status("Nothing is changed until you press Insert.")
  dialog:separator {}
  if #self.choices > 1 then
    local options = {}
    for i, choice in ipairs(self.choices) do options[i] = FRAMES[choice] end
    dialog:combobox { id = "frames", label = "Frames", options = options, option = options[1], onchange = self.take_again }
  end
  dialog:combobox { id = "face", label = "Face", options = { WHOLE, FIND }, option = exact and WHOLE or FIND }
  dialog:combobox {
    id = "size", label = "Size", options = SIZES, option = contains(SIZES, saved.size) and saved.size or "1024",
  }
  dialog:number { id = "seed", label = "Seed", text = "0", decimals = 0 }
  dialog:slider { id = "faithful", label = "Faithful %", min = 0, max = 100, value = math.tointeger(saved.faithful) or 0 }
  dialog:combobox {
    id = "result", label = "Comes back as", options = labels(RESULTS),
    option = contains(labels(RESULTS), saved.result) and saved.result or RESULTS[1].label,
  }
  dialog:separator {}
  dialog:button { id = "make", text = "&Make portrait", focus = true, onclick = function() self.make() end }
  dialog:button { id = "cancel", text = "&Cancel", enabled = false, onclick = function() self.cancel() end }
  dialog:newrow()
  dialog:button { id = "insert", text = "&Insert", enabled = false, onclick = function() self.insert() end }
  dialog:button { id = "again", text = "&Take again", onclick = function() self.take_again() end }
  dialog:button { id = "close", text = "Close" }
  current = self
  box:show()
  return self
end

return portrait
