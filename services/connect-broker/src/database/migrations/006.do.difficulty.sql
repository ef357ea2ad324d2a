-- The difficulty that an instance was asked for with; null where its content type has none, and for instances of before.

alter table instances add column difficulty text;
