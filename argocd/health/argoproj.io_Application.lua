-- Says when an Application is done, so that sync waves between Applications really wait: its desired state was
-- compared, applied and became healthy. It does not look into the Application's objects; Argo CD has summed them up.
-- An Application with the label mmo/sync-window: "true" may be OutOfSync: its change waits for the maintenance
-- window.

local EMPTY = {}

local function isEmpty(value)
  if type(value) == "table" then
    for _, item in pairs(value) do
      if not isEmpty(item) then
        return false
      end
    end
    return true
  end
  return value == nil or value == false or value == ""
end

-- Argo CD drops empty fields of what it has compared and adds others (a source without a repoURL beside several
-- sources), so empty and absent are the same here: a difference that never went away would block every later wave.
local function same(a, b)
  if isEmpty(a) and isEmpty(b) then
    return true
  end
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  for key, value in pairs(a) do
    if not same(value, b[key]) then
      return false
    end
  end
  for key, value in pairs(b) do
    if a[key] == nil and not isEmpty(value) then
      return false
    end
  end
  return true
end

local function health(status, message)
  return { status = status, message = message }
end

local ERRORS = { ComparisonError = true, InvalidSpecError = true, UnknownError = true, DeletionError = true }

local function errorMessage(conditions)
  for _, condition in ipairs(conditions or EMPTY) do
    if ERRORS[condition.type] then
      return condition.type .. ": " .. (condition.message or "no message")
    end
  end
  return nil
end

-- Names at most three objects: an Application may have hundreds.
local function outOfSyncObjects(resources)
  local names, count = {}, 0
  for _, resource in ipairs(resources or EMPTY) do
    if resource.status == "OutOfSync" then
      count = count + 1
      if count <= 3 then
        local name = (resource.kind or "object") .. " " .. (resource.name or "without a name")
        if resource.requiresPruning then
          name = name .. " (no longer in Git, not pruned)"
        end
        table.insert(names, name)
      end
    end
  end
  if count == 0 then
    return ""
  end
  local text = ": " .. table.concat(names, ", ")
  if count > 3 then
    text = text .. " and " .. (count - 3) .. " more"
  end
  return text
end

local status = obj.status or EMPTY
local sync = status.sync or EMPTY
local operation = status.operationState or EMPTY

-- The root keeps itself in Git, so its own sync asks this script about itself. It must not wait for itself: it would for
-- ever (measured). Nobody else asks: what an operator sees of the root is the sum of its children.
if obj.metadata ~= nil and obj.metadata.name == "root" then
  return health("Healthy", "The root does not wait for itself.")
end

if sync.status == nil then
  return health("Progressing", "Argo CD has not compared this Application yet.")
end

-- A source that cannot be fetched leaves the last known health, often Healthy, in place.
if sync.status == "Unknown" then
  local message = errorMessage(status.conditions)
  if message ~= nil then
    return health("Degraded", message)
  end
  return health("Progressing", "The sync status is Unknown; Argo CD has not finished a comparison.")
end

-- What follows describes the source that was compared last, which a new version or new values have replaced.
local compared = sync.comparedTo or EMPTY
local spec = obj.spec or EMPTY
if not same(spec.source, compared.source) or not same(spec.sources, compared.sources) then
  return health("Progressing", "The source has changed since the last comparison.")
end

if operation.phase == "Running" or operation.phase == "Terminating" then
  return health("Progressing", "A sync is under way: " .. (operation.message or "it has just begun"))
end
if obj.operation ~= nil then
  return health("Progressing", "A sync has been requested.")
end

-- Argo CD does not try the same commit again, so this stays until a later sync succeeds.
if operation.phase == "Failed" or operation.phase == "Error" then
  return health("Degraded", "The last sync failed: " .. (operation.message or "no message"))
end

local own = status.health or EMPTY
if own.status == "Degraded" then
  return health("Degraded", own.message or "At least one object of this Application is Degraded.")
end

local message = own.message or ""
if sync.status ~= "Synced" then
  local labels = (obj.metadata or EMPTY).labels or EMPTY
  if labels["mmo/sync-window"] ~= "true" then
    return health("Progressing", "OutOfSync" .. outOfSyncObjects(status.resources))
  end
  message = "The change waits for the maintenance window" .. outOfSyncObjects(status.resources)
end

if own.status == "Healthy" or own.status == "Suspended" then
  return health(own.status, message)
end
return health("Progressing", sync.status .. ", and its objects are " .. (own.status or "not assessed yet") .. ".")
