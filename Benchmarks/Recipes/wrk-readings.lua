-- POST of a hundred readings of one device with every request; each reading is a new one.
-- TOKEN and DEVICE come from the environment.
local token, device = os.getenv("TOKEN"), os.getenv("DEVICE")
wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer " .. token
wrk.headers["Content-Type"] = "application/json"
local at = os.time() - 365 * 86400

function request()
  local readings = {}
  for number = 1, 100 do
    at = at + 1
    readings[number] = string.format('{"timestamp":"%s","value":0.01}', os.date("!%Y-%m-%dT%H:%M:%SZ", at))
  end
  return wrk.format(nil, "/api/v1/devices/" .. device .. "/measurements", nil, "[" .. table.concat(readings, ",") .. "]")
end

function response(status, _, body)
  if status ~= 200 or not body:find('"accepted":100') then
    io.stderr:write(status, " ", body, "\n")
    wrk.thread:stop()
  end
end
