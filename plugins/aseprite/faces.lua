-- "Find faces": looks for faces in the selection or the whole sprite, and makes slices of them.

local take = require "take"
local place = require "place"
local jobs = require "jobs"
local panel = require "panel"
local faces = {}

function faces.open(context)
  local sprite = app.sprite
  local target, problem
  if sprite and not sprite.selection.isEmpty then
    target, problem = take.target { kind = "selection" }
  else
    target, problem = take.target { kind = "sprite" }
  end
  if not target then
    app.alert { title = "Spriteface", text = problem }
    return nil
  end

  local self = { target = target }
  local box = panel.new { folder = context.folder, preferences = context.preferences, title = "Spriteface: find faces" }
  self.panel = box

  local function finished(boxes)
    box:enable("cancel", false)
    if #boxes == 0 then return box:say("No face was found here: select one and make a portrait of it.") end
    local _, changed = take.change(target)
    if changed then return box:say(changed .. " No slices were made.") end
    local ok, made = pcall(place.slices, target.sprite, boxes)
    if not ok then return box:say(tostring(made)) end
    if made == 0 then return box:say("All faces found have their slices already.") end
    box:close()
  end

  function self.find()
    box:enable("cancel", true)
    box:say("Asking the engine...")
    local handle = jobs.find(box.client, target, {
      on_progress = function(_, text) box:say(text .. "...") end,
      on_finished = finished,
      on_failed = function(trouble)
        box:enable("cancel", false)
        if trouble.code == "cancelled" then return box:say("Cancelled.") end
        if not panel.is_connection(trouble) then box:complain(trouble) end
      end,
    })
    self.handle = handle
  end

  -- Once the engine is there after all, go on by ourselves.
  box.on_ready = function()
    if self.wanted then
      self.wanted = false
      self.find()
    end
  end
  box.on_engine_state = function(state) if state == "failed" then self.wanted = true end end

  box.dialog:label { text = target.label }
  box:add_strut()
  box:add_status("")
  box.dialog:button { id = "cancel", text = "&Cancel", onclick = function()
    if self.handle then self.handle.cancel() end
  end }
  box.dialog:button { id = "close", text = "Close" }
  box:show()
  self.find()
  return self
end

return faces
