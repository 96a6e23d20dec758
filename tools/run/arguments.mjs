// What the four commands take. `-h` and `--help` are answered before anything is installed or built; what a command doesn't know is refused.

/**
 * Reads the arguments of a command against its `about`: `{ usage, does, options, takesNames, values, passesOn }`. Answers
 * `{ names, options }`, or `{ answer, code }` when the command has nothing to do: its help (0), or a line that says what is wrong (2).
 * `options` are lists of `[option, meaning]`; an option whose name goes on, as `--only <part>`, takes one of `values[option]`,
 * or any text where none are told.
 * `passesOn` leaves everything but a first `--help` to another program.
 */
export function readArguments(command, about, args) {
  if (about.passesOn) return isHelp(args[0]) ? { answer: help(about), code: 0 } : { names: args, options: {} }
  if (args.some(isHelp)) return { answer: help(about), code: 0 }
  const names = []
  const options = {}
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]
    const refuse = (reason) => ({ answer: `${command}: ${reason}; --help tells what there is`, code: 2 })
    if (!arg.startsWith('-')) {
      if (!about.takesNames) return refuse(`takes no "${arg}"`)
      names.push(arg)
      continue
    }
    const known = about.options.find(([form]) => form.split(' ')[0] === arg)
    if (!known) return refuse(`there is no option ${arg}`)
    if (known[0] === arg) {
      options[arg] = true
      continue
    }
    i++
    const values = about.values?.[arg]
    if (values && !values.includes(args[i])) return refuse(`${arg} takes one of ${values.join(', ')}`)
    if (args[i] === undefined) return refuse(`${known[0]} is to be told`)
    options[arg] = args[i]
  }
  return { names, options }
}

function isHelp(arg) {
  return arg === '--help' || arg === '-h'
}

function help({ usage, does, options }) {
  const all = [...options, ['-h, --help', 'prints this']]
  const width = Math.max(...all.map(([form]) => form.length))
  return [`usage: ${usage}`, '', does, '', ...all.map(([form, meaning]) => `  ${form.padEnd(width)}  ${meaning}`)].join('\n')
}
