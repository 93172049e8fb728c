-- The base only.
DO 0;
