import { useState } from 'react'
import { usePage } from './page-context.ts'
import { firstLine } from './text.ts'

/** Asks for a name and a password and hands the token to the API. */
export function LoginForm({ onGranted }: { readonly onGranted: () => void }): React.JSX.Element {
  const { api } = usePage()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState('')
  const [isBusy, setIsBusy] = useState(false)

  const submit = async (): Promise<void> => {
    setIsBusy(true)
    setError('')
    try {
      await api.login(username, password)
      onGranted()
    } catch (reason) {
      setError(firstLine((reason as Error).message))
      setIsBusy(false)
    }
  }
  return (
    <form
      className="login"
      aria-labelledby="login-title"
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      <h1 id="login-title">Skydive</h1>
      <label>
        User
        <input
          value={username}
          autoComplete="username"
          required
          // biome-ignore lint/a11y/noAutofocus: the form is all that the page has.
          autoFocus
          onChange={(event) => setUsername(event.target.value)}
        />
      </label>
      <label>
        Password
        <input
          type="password"
          value={password}
          autoComplete="current-password"
          onChange={(event) => setPassword(event.target.value)}
        />
      </label>
      <button type="submit" className="primary" disabled={isBusy}>
        Sign in
      </button>
      {error !== '' && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
    </form>
  )
}
