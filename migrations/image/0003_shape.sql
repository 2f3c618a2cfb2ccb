-- What an annotation is beyond a plain box. x, y, width and height stay its
-- bounding box. Rows made before, and plain boxes, have the defaults, which cost
-- them one byte each.
ALTER TABLE annotation ADD COLUMN shape TEXT NOT NULL DEFAULT '';      -- JSON; '': a plain box
ALTER TABLE annotation ADD COLUMN attributes TEXT NOT NULL DEFAULT ''; -- a JSON object; '': none
ALTER TABLE annotation ADD COLUMN source TEXT NOT NULL DEFAULT '';     -- 'model': a prediction; '': a person's
ALTER TABLE annotation ADD COLUMN model TEXT NOT NULL DEFAULT '';      -- that proposed it; ''
