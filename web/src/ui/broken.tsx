import { Button, Container, Text, Title } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { Header, mainId } from "./header";

/** Shows its children, or, once one of them cannot be drawn or its code does not come, what to do: without it the page would be white. */
export class Broken extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };
  static getDerivedStateFromError = () => ({ failed: true });

  override render() {
    if (!this.state.failed) return this.props.children;

    return (
      <>
        <Header />
        <Container component="main" id={mainId} tabIndex={-1} size="xs" py="xl" data-testid="broken">
          <Title order={1}>This page stopped working</Title>
          <Text my="md" role="alert">
            Tandem itself goes on: rides, messages and points are kept. Load the page again. If it stops again, see whether
            Tandem still runs, and what the browser's console says.
          </Text>
          <Button onClick={() => location.reload()}>Load it again</Button>
        </Container>
      </>
    );
  }
}
