-- Says whether a FleetAutoscaler can do its work: it finds its Fleet and its policy gives an answer. A size that was
-- capped by the minimum or the maximum (scalingLimited) is the policy at work, not a fault.

local status = obj.status
local policy = (obj.spec or {}).policy or {}

-- Agones reports a schedule outside its hours as it reports a failure (ableToScale false, or nothing at all), so for
-- a policy that consists of schedules alone neither says that something is wrong.
local function isScheduleOnly()
  if policy.type == "Schedule" then
    return true
  end
  if policy.type ~= "Chain" or policy.chain == nil or #policy.chain == 0 then
    return false
  end
  for _, entry in ipairs(policy.chain) do
    if entry.type ~= "Schedule" then
      return false
    end
  end
  return true
end

if status ~= nil and status.ableToScale == true then
  local message = "Wants " .. (status.desiredReplicas or 0) .. " GameServers"
  if status.scalingLimited then
    message = message .. ", capped by the policy's limits"
  end
  return { status = "Healthy", message = message .. "." }
end

if isScheduleOnly() then
  return { status = "Healthy", message = "Not scaling now, which is right outside the hours of its schedules." }
end

if status == nil or status.ableToScale == nil then
  return {
    status = "Progressing",
    message = "Agones has not scaled yet. If this stays: the Fleet is missing or its policy fails (see the events).",
  }
end
return {
  status = "Degraded",
  message = "Unable to scale: the Fleet is missing or its policy fails (see the events).",
}
