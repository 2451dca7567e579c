-- The commands: where they stand in the menus, when they can be used, what they run. All of them can
-- have keyboard shortcuts (Edit > Keyboard Shortcuts, search for "Spriteface").

local portrait = require "portrait"
local faces = require "faces"
local restore = require "restore"
local status = require "status"
local batch = require "batch"
local commands = {}

local MENU = "spriteface_menu"

local function has_sprite()
  return app.sprite ~= nil
end

local function has_cel()
  return app.cel ~= nil
end

function commands.register(plugin)
  local context = { folder = plugin.path, preferences = plugin.preferences }

  -- Without a UI a command works through the command line and files instead.
  local function either(open, what)
    return function()
      if app.isUIAvailable then
        open()
      else
        batch.run { folder = context.folder, params = app.params, what = what }
      end
    end
  end

  plugin:newMenuGroup { id = MENU, title = "Spriteface", group = "sprite_color" }
  plugin:newCommand {
    id = "SpritefacePortrait", title = "Portrait of face...", group = MENU, onenabled = has_sprite,
    onclick = either(function() portrait.open(context) end, "portrait"),
  }
  plugin:newCommand {
    id = "SpritefaceFindFaces", title = "Find faces", group = MENU, onenabled = has_sprite,
    onclick = either(function() faces.open(context) end, "faces"),
  }
  plugin:newCommand {
    id = "SpritefaceRestore", title = "Bring back in palette...", group = MENU, onenabled = has_sprite,
    onclick = either(function() restore.open(context) end, "palette"),
  }
  plugin:newMenuSeparator { group = MENU }
  plugin:newCommand {
    id = "SpritefaceEngine", title = "Engine...", group = MENU,
    onclick = either(function() status.open(context) end, "engine"),
  }
  plugin:newCommand {
    id = "SpritefacePortraitOfSlice", title = "Spriteface: portrait of slice...", group = "slice_popup_properties",
    onenabled = has_sprite, onclick = either(function() portrait.open(context, "slice") end, "portrait"),
  }
  plugin:newCommand {
    id = "SpritefacePortraitOfCel", title = "Spriteface: portrait of cel...", group = "cel_popup_properties",
    onenabled = has_cel, onclick = either(function() portrait.open(context, "cel") end, "portrait"),
  }
end

return commands
