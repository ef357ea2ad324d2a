-- Says whether a Fleet's GameServers serve. A Fleet has counters only and no sign of failure (a GameServer that
-- fails is replaced without a trace in the status), so a Fleet that cannot start its GameServers is Progressing,
-- never Degraded.

local status = obj.status
if status == nil then
  return { status = "Progressing", message = "Agones has not reported on this Fleet yet." }
end

local wanted = (obj.spec or {}).replicas or 0
local allocated = status.allocatedReplicas or 0
local serving = (status.readyReplicas or 0) + allocated + (status.reservedReplicas or 0)
local message = serving .. " of " .. wanted .. " GameServers serve (" .. allocated .. " allocated)"

-- During a rolling update the old GameServers alone can reach the wanted number, so a new build that never becomes
-- ready shows only as GameServers that exist and do not serve. Those being shut down are not in the count.
local starting = (status.replicas or 0) - serving
if starting > 0 then
  return { status = "Progressing", message = message .. ", " .. starting .. " not ready." }
end
if serving < wanted then
  return { status = "Progressing", message = message .. "." }
end
return { status = "Healthy", message = message .. "." }
