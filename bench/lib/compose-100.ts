// A big Compose file to measure on: many services, each on one or two of many networks, some publishing a port.

/** The text of a Compose file with this many services and networks; always the same for the same numbers. */
export const composeOf = (services: number, networks: number): string => {
  const service = (n: number): ReadonlyArray<string> => {
    const own = n % networks
    const other = (own + 1 + Math.floor(n / networks)) % networks
    const places = n % 4 === 0 && other !== own ? [own, other] : [own]
    return [
      `  s${n}:`,
      `    image: example/s${n}`,
      `    networks: [${places.map((place) => `net${place}`).join(', ')}]`,
      ...(n % 5 === 0 ? [`    ports: ["${10000 + n}:80"]`] : []),
    ]
  }
  return [
    'name: big',
    'services:',
    ...Array.from({ length: services }, (_, n) => service(n)).flat(),
    'networks:',
    ...Array.from({ length: networks }, (_, n) => `  net${n}: {}`),
    '',
  ].join('\n')
}
