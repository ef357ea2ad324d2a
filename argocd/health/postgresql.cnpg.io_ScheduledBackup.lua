-- Says whether the operator follows this backup schedule. Whether its backups succeed is said by the check of the
-- Cluster.

local status = obj.status or {}

if status.error ~= nil and status.error ~= "" then
  return { status = "Degraded", message = "The operator refuses this schedule: " .. status.error }
end
if (obj.spec or {}).suspend == true then
  return { status = "Suspended", message = "The schedule is suspended: no backups are taken." }
end
if status.lastCheckTime == nil then
  return {
    status = "Progressing",
    message = "The operator has not looked at this schedule yet; if this stays, its times are invalid.",
  }
end

local message = "No backup was due yet."
if status.lastScheduleTime ~= nil then
  message = "Last backup started at " .. status.lastScheduleTime .. "."
end
return { status = "Healthy", message = message }
