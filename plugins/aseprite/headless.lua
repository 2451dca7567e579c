-- For build pipelines, without the editor's window:
--   aseprite -b hero.aseprite --script-param slice=face-1 --script-param save=out.aseprite --script headless.lua
-- See batch.lua for the parameters.

if (app.apiVersion or 0) < 25 then
  error("spriteface: Aseprite v1.3 (script API 25) or later is needed, this is API " .. tostring(app.apiVersion), 0)
end

local batch = require "batch"
local folder = app.fs.filePath((debug.getinfo(1, "S").source:gsub("^@", "")))
batch.run { folder = folder, params = app.params, what = "portrait" }
