import { afterEach, expect } from "vitest";
import { thrown } from "./world";

// Whatever a test looks at, a page that throws has failed it.
afterEach(() => expect(thrown.splice(0)).toEqual([]));
