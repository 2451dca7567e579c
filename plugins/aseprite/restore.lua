-- "Bring back in palette": the active picture in the palette of an open sprite, as a new indexed sprite.

local pixels = require "pixels"
local take = require "take"
local place = require "place"
local jobs = require "jobs"
local panel = require "panel"
local restore = {}

-- The palettes of the open sprites; indexed sprites other than the active one first.
local function palettes(active)
  local list, seen = {}, {}
  local function add(sprite)
    local palette = pixels.palette_at(sprite, 1)
    local label = ("%s (%d colours)"):format(take.title(sprite), #palette)
    seen[label] = (seen[label] or 0) + 1
    if seen[label] > 1 then label = label .. " #" .. seen[label] end
    list[#list + 1] = { label = label, colors = pixels.colors(palette), transparent = sprite.transparentColor }
  end
  for pass = 1, 3 do
    for i = 1, #app.sprites do
      local sprite = app.sprites[i]
      local indexed = sprite.colorMode == ColorMode.INDEXED
      local rank = sprite == active and 2 or (indexed and 1 or 3)
      if rank == pass then add(sprite) end
    end
  end
  return list
end

function restore.open(context)
  local target, problem = take.target {}
  if not target then
    app.alert { title = "Spriteface", text = problem }
    return nil
  end
  local self = { target = target, palettes = palettes(target.sprite) }
  local box = panel.new {
    folder = context.folder, preferences = context.preferences, title = "Spriteface: bring back in palette",
    on_hello = function(hello)
      local dithers = {}
      for i, name in ipairs(hello.dithers or {}) do dithers[i] = name end
      if #dithers > 0 then
        local chosen = self.panel.dialog.data.dither
        self.panel.dialog:modify { id = "dither", options = dithers }
        self.panel.dialog:modify { id = "dither", option = chosen }
      end
    end,
  }
  self.panel = box
  local dialog = box.dialog

  local function set_running(running)
    self.running = running
    box:enable("go", not running)
    box:enable("cancel", running)
  end

  local function finished(chosen, result)
    set_running(false)
    local r = result.restored
    local output = {
      title = target.title, mode = ColorMode.INDEXED, colors = chosen.colors, transparent = chosen.transparent,
      frames = { { number = 1, duration = target.frames[1].duration } },
    }
    local ok, trouble = pcall(place.palette_sprite, output, { { restored = r } }, "palette")
    box:say(ok and "Inserted as a new sprite in the palette." or tostring(trouble))
  end

  function self.go()
    local data, chosen = dialog.data, nil
    for _, entry in ipairs(self.palettes) do if entry.label == data.palette then chosen = entry end end
    local picture = target.frames[1].picture
    local width = math.max(0, math.floor(data.width))
    local height = width > 0 and math.max(1, math.floor(picture.height * width / picture.width + 0.5)) or 0
    set_running(true)
    box:say("Asking the engine...")
    local handle = jobs.in_palette(box.client, picture, {
      colors = chosen.colors, transparent = chosen.transparent, width = width, height = height, dither = data.dither,
    }, {
      on_progress = function(_, text) box:say(text .. "...") end,
      on_finished = function(result) finished(chosen, result) end,
      on_failed = function(trouble)
        set_running(false)
        if trouble.code == "cancelled" then return box:say("Cancelled.") end
        if not panel.is_connection(trouble) then box:complain(trouble) end
      end,
    })
    self.handle = handle
  end

  local names = {}
  for i, entry in ipairs(self.palettes) do names[i] = entry.label end
  dialog:label { text = target.label }
  box:add_strut()
  dialog:combobox { id = "palette", label = "Palette of", options = names, option = names[1] }
  dialog:number { id = "width", label = "Width (0: same)", text = "0", decimals = 0 }
  dialog:combobox { id = "dither", label = "Dither", options = { "none" }, option = "none" }
  box:add_status("The picture goes to a new sprite; this one is not changed.")
  dialog:button { id = "go", text = "&Bring back", focus = true, onclick = function() self.go() end }
  dialog:button { id = "cancel", text = "&Cancel", enabled = false, onclick = function()
    if self.handle then self.handle.cancel() end
  end }
  dialog:button { id = "close", text = "Close" }
  box:show()
  box.client:connect()
  return self
end

return restore
