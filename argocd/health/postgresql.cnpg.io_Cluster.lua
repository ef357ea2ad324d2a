-- Says whether a PostgreSQL cluster serves and whether its data is being saved. It replaces the check that Argo CD
-- brings, which is silent about archiving and backups, and calls a cluster that cannot be recovered Suspended.

-- The primary is lost, or the operator cannot go on until somebody repairs the description, the installation or the
-- data.
local FAILING = {
  ["Cluster is unrecoverable and needs manual intervention"] = true,
  ["Invalid cluster definition"] = true,
  ["Cluster cannot proceed to reconciliation due to an unknown plugin being required"] = true,
  ["Cluster cannot proceed to reconciliation due to an error while interacting with plugins"] = true,
  ["Cluster has incomplete or invalid image catalog"] = true,
  ["Cluster cannot execute instance online upgrade due to missing architecture binary"] = true,
  ["Unable to create required cluster objects"] = true,
  ["Failing over"] = true,
}

local function health(status, message)
  return { status = status, message = message }
end

local status = obj.status
if status == nil then
  return health("Progressing", "The operator has not reported on this cluster yet.")
end

local function condition(name)
  for _, candidate in ipairs(status.conditions or {}) do
    if candidate.type == name then
      return candidate
    end
  end
  return {}
end

local hibernation = condition("cnpg.io/hibernation")
if hibernation.status == "True" then
  return health("Suspended", hibernation.message or "The cluster is hibernated.")
end

local annotations = (obj.metadata or {}).annotations or {}
if annotations["cnpg.io/reconciliationLoop"] == "disabled" then
  return health("Suspended", "The annotation cnpg.io/reconciliationLoop: disabled keeps the operator away.")
end

local phase = status.phase or ""
local function withReason(text)
  if status.phaseReason ~= nil and status.phaseReason ~= "" then
    return text .. ": " .. status.phaseReason
  end
  return text
end

if FAILING[phase] then
  return health("Degraded", withReason(phase))
end

if condition("ConsistentSystemID").status == "False" then
  return health("Degraded", condition("ConsistentSystemID").message or "The instances belong to different databases.")
end

-- A planned switchover refuses WAL files for a moment, which is no fault of the archive.
local archiving = condition("ContinuousArchiving")
if archiving.status == "False" and archiving.message ~= "switchover in progress, refusing archiving" then
  return health("Degraded", "WAL archiving fails: " .. (archiving.message or "no message"))
end

-- A backup that has just started turns the condition False as well.
local backup = condition("LastBackupSucceeded")
if backup.status == "False" and backup.reason ~= "BackupStarted" then
  return health("Degraded", "The last backup failed: " .. (backup.message or "no message"))
end

if hibernation.status == "False" then
  return health("Progressing", hibernation.message or "The cluster is going into hibernation.")
end

if phase == "" then
  return health("Progressing", "The operator has not set a phase yet.")
end
if phase == "Waiting for user action" then
  return health("Suspended", withReason(phase))
end
-- Every other phase is work in progress, those of a later operator that this check does not know included.
if phase ~= "Cluster in healthy state" then
  return health("Progressing", withReason(phase))
end

local ready, wanted = status.readyInstances or 0, (obj.spec or {}).instances or 1
if ready < wanted then
  return health("Progressing", ready .. " of " .. wanted .. " instances are ready.")
end

-- Until the first WAL file is in the archive, nothing of this cluster could be restored.
local archives = false
for _, plugin in ipairs((obj.spec or {}).plugins or {}) do
  if plugin.isWALArchiver and plugin.enabled ~= false then
    archives = true
  end
end
if archives and archiving.status ~= "True" then
  return health("Progressing", "No WAL file of the present primary has been archived yet.")
end
return health("Healthy", phase .. ", " .. ready .. " of " .. wanted .. " instances are ready.")
