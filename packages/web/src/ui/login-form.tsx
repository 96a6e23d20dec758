import { useState } from 'react'
import { usePage } from './page-context.ts'

/** Asks for a name and a password and hands the token to the API. */
export function LoginForm({ onGranted }: { readonly onGranted: () => void }): React.JSX.Element {
  const { api } = usePage()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState('')

  const submit = (): void => {
    api.login(username, password).then(onGranted, (reason: Error) => setError(reason.message))
  }
  return (
    <form
      className="login"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <h1>Skydive</h1>
      <label>
        User
        <input value={username} autoComplete="username" onChange={(event) => setUsername(event.target.value)} />
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
      <button type="submit">Sign in</button>
      {error !== '' && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
    </form>
  )
}
