// A PostgreSQL cluster of a run's own, which may crash without anybody else noticing.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Cluster {
  /** Of its database `postgres`, where the user may do everything. */
  url: string
  /** Ends every process of it at once, as `pg_ctl stop -m immediate` does; what was not committed is lost. */
  crash(): Promise<void>
  start(): Promise<void>
  /** Ends it and deletes its files. */
  remove(): Promise<void>
}

/** Where the newest installed PostgreSQL has its programs, if this machine has any that can make a cluster. */
export async function postgresPrograms(): Promise<string | undefined> {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const told = await run('pg_config', ['--bindir']).then(
    ({ stdout }) => [stdout.trim()],
    () => [],
  )
  const directories = [...told, ...versions.map((version) => join(debian, version, 'bin'))]
  return directories.find((directory) => existsSync(join(directory, 'initdb')) && existsSync(join(directory, 'pg_ctl')))
}

/** Makes a cluster that listens on a socket in its own directory, so that no port can be taken. */
export async function startCluster(programs: string): Promise<Cluster> {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-cluster-'))
  const user = await unprivileged()
  if (user) await chown(directory, user.uid, user.gid)
  const data = join(directory, 'data')
  const execute = (program: string, args: string[]) => run(join(programs, program), args, { ...user, cwd: directory })
  // Its log goes to a file: pg_ctl would not return as long as the server holds its output.
  const start = async () => {
    const options = `-c listen_addresses= -c unix_socket_directories=${directory}`
    await execute('pg_ctl', ['start', '-w', '-D', data, '-l', join(directory, 'log'), '-o', options])
  }
  const crash = async () => {
    await execute('pg_ctl', ['stop', '-w', '-D', data, '-m', 'immediate'])
  }
  await execute('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'])
  await start()
  return {
    url: `postgres://postgres@localhost/postgres?host=${encodeURIComponent(directory)}`,
    crash,
    start,
    async remove() {
      await crash().catch(() => {})
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** PostgreSQL refuses to run as root, who therefore lets the user do it that its package has made. */
async function unprivileged(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const id = async (option: string) => Number((await run('id', [option, 'postgres'])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}
