import { MantineProvider } from "@mantine/core";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { Loading } from "./loading";

test("what is loaded has a name, and a role that may have one", () => {
  const markup = renderToStaticMarkup(<MantineProvider><Loading what="the overview" /></MantineProvider>);
  expect(markup).toMatch(/role="status" aria-label="Loading the overview"/);
});
