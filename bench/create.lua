-- wrk: POST one item a request. The moment of the request goes into external_id, from where it comes back in the delivery.
local ffi = require("ffi")
ffi.cdef [[ typedef struct { long sec; long usec; } moment; int gettimeofday(moment *now, void *zone); ]]
local now = ffi.new("moment")

function request()
  ffi.C.gettimeofday(now, nil)
  local stamp = string.format("%d%06d", tonumber(now.sec), tonumber(now.usec))
  local body = '{"external_id":"' .. stamp .. '","fields":{"title":"A title","estimate":12}}'
  return wrk.format("POST", nil, nil, body)
end
