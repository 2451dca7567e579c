-- Versions of Aseprite before script API 25: one readable sentence, and nothing else is loaded.

local function commands()
  local ids = {}
  for id in pairs(host.commands) do ids[#ids + 1] = id end
  return table.concat(ids, " ")
end

function tests.too_old_is_said()
  for _, version in ipairs { 10, 20, 24 } do
    host.core.version = version
    host.commands, ui.alerts = {}, {}
    kit.load()
    kit.equal(commands(), "SpritefaceTooOld")
    kit.run "SpritefaceTooOld"
    kit.contains(ui.alerts[1], "needs Aseprite v1.3 (script API 25) or later")
    kit.contains(ui.alerts[1], "script API " .. version)
  end
end

function tests.headless_says_it_too()
  host.core.version = 24
  local ok, problem = host.run_script(kit.folder() .. "/headless.lua", {})
  kit.equal(ok, false)
  kit.contains(problem, "API 24")
end

function tests.a_broken_installation_is_said()
  host.swallowed = nil
  local folder = kit.folder { ["wire.lua"] = "error('half a file', 0)" }
  host.load_extension(folder, "main.lua")
  kit.equal(host.swallowed, nil)
  kit.equal(commands(), "SpritefaceBroken")
  kit.run "SpritefaceBroken"
  kit.contains(ui.alerts[1], "could not be loaded")
end
