"""Drawing handbags and backpacks as product photos.

`look` chooses what a bag is like, `handbags` and `backpacks` lay out its parts, `materials`
makes the cloths, `canvas` paints parts with light and shadow, `scene` puts it all on a background.
Only integer pixel operations and exact arithmetic are used, so that every machine draws the same.
"""
