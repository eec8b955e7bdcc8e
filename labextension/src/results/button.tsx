import * as React from 'react';

/** A button of the side panels. */
export function Button(props: React.ComponentProps<'button'>): React.JSX.Element {
  return <button type="button" className="bg-button" {...props} />;
}
