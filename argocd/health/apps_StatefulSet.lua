-- Says when a StatefulSet runs what Git says: as Argo CD's own check does, and it also waits until its pods are available,
-- which is ready for minReadySeconds without a break. That is how a canary holds back the next sync wave.
-- With the strategy OnDelete a pod of the old revision is as it should be. A world that sleeps (no replicas) is healthy.

local EMPTY = {}

local function health(status, message)
  return { status = status, message = message }
end

local spec = obj.spec or EMPTY
local status = obj.status or EMPTY
local generation = (obj.metadata or EMPTY).generation or 0

if status.observedGeneration == nil or status.observedGeneration == 0 or generation > status.observedGeneration then
  return health("Progressing", "The controller has not seen the latest change yet.")
end

local wanted = spec.replicas or 1
local ready = status.readyReplicas or 0
if wanted == 0 then
  return health("Healthy", "No pods are wanted.")
end
if ready < wanted then
  return health("Progressing", ready .. " of " .. wanted .. " pods are ready.")
end

local strategy = spec.updateStrategy or EMPTY
if strategy.type == "OnDelete" then
  return health("Healthy", ready .. " of " .. wanted .. " pods are ready; a change waits until they are deleted.")
end

local partition = (strategy.rollingUpdate or EMPTY).partition or 0
local updated = status.updatedReplicas or 0
if partition > 0 then
  if updated < wanted - partition then
    return health("Progressing", updated .. " of " .. (wanted - partition) .. " pods beyond the partition are updated.")
  end
elseif status.updateRevision ~= status.currentRevision then
  return health("Progressing", updated .. " of " .. wanted .. " pods are of the latest revision.")
end

local minReady = spec.minReadySeconds or 0
if minReady > 0 and (status.availableReplicas or 0) < wanted then
  return health("Progressing", "The pods are ready, and not yet for " .. minReady .. " s.")
end

return health("Healthy", ready .. " of " .. wanted .. " pods are ready, of the latest revision.")
