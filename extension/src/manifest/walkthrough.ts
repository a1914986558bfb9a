const step = (id: string, completionEvents: readonly string[]) => ({
  id,
  title: `%walkthrough.${id}.title%`,
  description: `%walkthrough.${id}%`,
  media: { svg: `images/walkthrough-${id}.svg`, altText: `%walkthrough.${id}.title%` },
  completionEvents,
});

export const walkthrough = {
  id: "porthole.start",
  title: "%walkthrough%",
  description: "%walkthrough.description%",
  steps: [
    step("relay", ["onContext:porthole.hasRelays", "onCommand:porthole.tryWithoutRelay"]),
    step("expose", ["onContext:porthole.hasExposed"]),
    step("share", ["onCommand:porthole.copyUrl", "onCommand:porthole.showQrCode"]),
    step("protect", ["onCommand:porthole.protect", "onCommand:porthole.addSecondary"]),
    step("inspect", ["onView:porthole.requests"]),
  ],
} as const;
