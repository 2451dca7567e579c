-- Runs one test of a scenario file in the stand-in:
--   lua5.4 run.lua FILE TEST [api=25] [align=1] [name=value ...]
-- Prints "ok", or what went wrong and exits with 1. A violation fails every test that doesn't clear it.

local here = arg[0]:match("^(.*/)[^/]*$") or "./"
package.path = here .. "standin/?.lua;" .. here .. "?.lua;" .. package.path

local options = {}
for i = 3, #arg do
  local name, value = arg[i]:match("^([%w_]+)=(.*)$")
  options[name] = value
end

local core = require "core"
core.version = tonumber(options.api or "25")
local host = require "init"
host.document.row_align = tonumber(options.align or "1")
local kit = require "kit"
kit.extension = options.extension or here .. "../../plugins/aseprite"
kit.options = options

local tests = {}
local environment = setmetatable({ host = host, kit = kit, tests = tests, ui = host.ui, document = host.document }, { __index = _G })
assert(loadfile(arg[1], "t", environment))()
local test = tests[arg[2]] or error("no test " .. arg[2])

local ok, problem = xpcall(test, debug.traceback)
for _, folder in ipairs(kit.folders or {}) do os.execute("rm -r '" .. folder .. "'") end
if not ok then
  io.stdout:write(tostring(problem), "\n")
elseif #core.violations > 0 then
  ok = false
  io.stdout:write("violations:\n  ", table.concat(core.violations, "\n  "), "\n")
elseif #core.console > 0 and not kit.console_allowed then
  ok = false
  io.stdout:write("errors on the console:\n  ", table.concat(core.console, "\n  "), "\n")
end
if ok then
  io.stdout:write("ok\n")
else
  if #core.console > 0 then io.stdout:write("console:\n  ", table.concat(core.console, "\n  "), "\n") end
  os.exit(1)
end
