-- Spriteface for Aseprite: registers the commands. Everything else is loaded only where this
-- Aseprite is new enough, so that an old one says so instead of failing somewhere inside.

local FLOOR = 25 -- script API of v1.3-rc5: json, canvas, timers, menu groups

local function say_once(plugin, id, title, text)
  plugin:newCommand {
    id = id, title = title, group = "file_scripts",
    onclick = function() app.alert { title = "Spriteface", text = text } end,
  }
end

-- A module of an earlier version of this extension may still be loaded in this session.
local function forget_old_modules()
  for name in pairs(package.loaded) do
    if name:match("^spriteface/") then package.loaded[name] = nil end
  end
end

local function register(plugin)
  forget_old_modules()
  -- `require` finds our files only while init() runs: load all of them now.
  local commands = require "commands"
  commands.register(plugin)
end

function init(plugin)
  local version = app.apiVersion or 0
  if version < FLOOR then
    say_once(plugin, "SpritefaceTooOld", "Spriteface needs a newer Aseprite...", {
      "Spriteface needs Aseprite v1.3 (script API " .. FLOOR .. ") or later;",
      "this Aseprite has script API " .. version .. ".",
    })
    return
  end
  -- Aseprite swallows errors of init(): keep ours to be shown.
  local ok, problem = pcall(register, plugin)
  if not ok then
    say_once(plugin, "SpritefaceBroken", "Spriteface could not be loaded...", {
      "Spriteface could not be loaded:", tostring(problem), "Install it again, please.",
    })
  end
end

function exit(plugin)
end
